import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import { astrayBackup } from "./astray.ts";
import { missingWal } from "./archived-wal.ts";
import { freeBytesOf, roomWanting } from "./backup-room.ts";
import { describeCheck, isMendedByABackup, receiverAgrees } from "./backup-server.ts";
import type { BackupServer } from "./backup-server.ts";
import { checkBarman, isRestorable, listBackups } from "./barman.ts";
import type { Backup, BarmanCheck } from "./barman.ts";
import { inspectContainer, isReachable } from "./engine.ts";
import { interruptedAmong, waitsForWal } from "./interrupted-backups.ts";
import { findNodes } from "./node.ts";

const PATIENCE_MILLISECONDS = 10_000;
const INTERVAL_MILLISECONDS = 500;

/** What is not well with a backup server, as it completes "the backup server: ...". */
export interface BackupFindings {
  /** What an update mends, or fails over. */
  readonly found: readonly string[];
  /** What an update can do nothing about, and goes on without. */
  readonly warnings: readonly string[];
}

/** What is not well. Right after a start the receiver is not there yet: that is looked at for some seconds before it counts. */
export async function backupFindings(
  docker: Docker,
  server: BackupServer,
  signal: AbortSignal,
): Promise<BackupFindings> {
  const container = await inspectContainer(docker, server.container);
  if (container === undefined) return only("its container is gone: run `pulumi up --refresh`, which makes a new one");
  if (!container.State.Running) return only("its container is stopped: it is started");
  const free = await freeBytesOf(docker, server);
  const full = roomWanting(free, undefined);
  // Barman itself may be of no use there.
  if (full !== undefined) return only(full);
  const failed = await failedChecks(docker, server, signal);
  const backups = await listBackups(docker, server);
  const wanting = roomWanting(free, backups.find(isRestorable));
  const finders = [receiverFindings, walFindings, historyFindings];
  // What only waits for its receiver cannot be looked at any further.
  const further = failed.every(isMendedByABackup) ? finders.map((find) => find(docker, server)) : [];
  const interrupted = interruptedFindings(docker, server, backups);
  const found = await Promise.all([interrupted, ...further]);
  return {
    found: [...failed.map(describeCheck), ...found.flat()],
    warnings: wanting === undefined ? [] : [wanting],
  };
}

const only = (what: string): BackupFindings => ({ found: [what], warnings: [] });

async function failedChecks(docker: Docker, server: BackupServer, signal: AbortSignal): Promise<BarmanCheck[]> {
  // What waits for a host that is gone does not pass by itself.
  const patience = (await isAnyGone(server)) ? 0 : PATIENCE_MILLISECONDS;
  const deadline = performance.now() + patience;
  for (;;) {
    signal.throwIfAborted();
    const failed = (await checkBarman(docker, server)).filter(({ ok }) => !ok);
    if (failed.every(isMendedByABackup) || performance.now() > deadline) return failed;
    await sleep(INTERVAL_MILLISECONDS);
  }
}

async function isAnyGone(server: BackupServer): Promise<boolean> {
  const reachable = await Promise.all((await findNodes(server)).map((node) => isReachable(node)));
  return reachable.includes(false);
}

async function interruptedFindings(
  docker: Docker,
  server: BackupServer,
  backups: readonly Backup[],
): Promise<string[]> {
  const interrupted = await interruptedAmong(docker, server, backups);
  return interrupted.map((backup) =>
    waitsForWal(backup)
      ? `the backup ${backup.id} waits for WAL that an idle server does not fill: it is given it`
      : `the backup ${backup.id} was interrupted: it is removed, and made up for`,
  );
}

async function walFindings(docker: Docker, server: BackupServer): Promise<string[]> {
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
