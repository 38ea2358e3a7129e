import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import { astrayBackup } from "./astray.ts";
import { missingWal } from "./archived-wal.ts";
import type { WalArchive } from "./archived-wal.ts";
import { describeCheck, receiverAgrees } from "./backup-server.ts";
import type { BackupServer } from "./backup-server.ts";
import { checkBarman } from "./barman.ts";
import { inspectContainer, isReachable } from "./engine.ts";
import { findNodes } from "./node.ts";

const PATIENCE_MILLISECONDS = 10_000;
const INTERVAL_MILLISECONDS = 500;

/**
 * What is not well with a backup server, as it completes "the backup server: ...". Right after a start the receiver
 * is not there yet: that is looked at for some seconds more before it counts.
 */
export async function backupFindings(docker: Docker, server: BackupServer, signal: AbortSignal): Promise<string[]> {
  const container = await inspectContainer(docker, server.container);
  if (container === undefined) return ["its container is gone: run `pulumi up --refresh`, which makes a new one"];
  if (!container.State.Running) return ["its container is stopped: it is started"];
  // What waits for a host that is gone does not pass by itself.
  const patience = (await isAnyGone(server)) ? 0 : PATIENCE_MILLISECONDS;
  const deadline = performance.now() + patience;
  for (;;) {
    signal.throwIfAborted();
    const failed = (await checkBarman(docker, server)).filter(({ ok }) => !ok);
    if (failed.length === 0) {
      const findings = [receiverFindings, walFindings, historyFindings];
      return (await Promise.all(findings.map((find) => find(docker, server)))).flat();
    }
    if (performance.now() > deadline) return failed.map(describeCheck);
    await sleep(INTERVAL_MILLISECONDS);
  }
}

async function isAnyGone(server: BackupServer): Promise<boolean> {
  const reachable = await Promise.all((await findNodes(server)).map((node) => isReachable(node)));
  return reachable.includes(false);
}

async function walFindings(docker: Docker, server: WalArchive): Promise<string[]> {
  const missing = await missingWal(docker, server);
  if (missing === undefined) return [];
  return [
    `the WAL file ${missing} is missing from its archive, and backups before it can be restored up to there only: a new base backup is taken`,
  ];
}

async function historyFindings(docker: Docker, server: BackupServer): Promise<string[]> {
  const astray = await astrayBackup(docker, server, await findNodes(server));
  if (astray === undefined) return [];
  return [`${astray.id} is of a time that the primary went back behind: a new base backup is taken`];
}

async function receiverFindings(docker: Docker, server: BackupServer): Promise<string[]> {
  if ((await receiverAgrees(docker, server)) !== false) return [];
  return [`its WAL receiver ${server.confirmsWrites ? "does not confirm" : "confirms"} every write: it starts again`];
}
