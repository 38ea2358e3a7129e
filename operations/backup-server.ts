import type Docker from "dockerode";
import { astrayBackup, astrayReceived } from "./astray.ts";
import { missingWal } from "./archived-wal.ts";
import type { WalArchive } from "./archived-wal.ts";
import { barman, barmanWords, checkBarman, isRestorable, listBackups } from "./barman.ts";
import type { Backup, Barman, BarmanCheck } from "./barman.ts";
import { placeOf } from "./docker-host.ts";
import type { OnHost } from "./docker-host.ts";
import { inspectContainer, lastLogLines } from "./engine.ts";
import { OperationError } from "./errors.ts";
import { execIn } from "./exec.ts";
import { findNodes } from "./node.ts";
import type { NodeMarks } from "./node.ts";
import { isRegistered, registerContainer } from "./registration.ts";
import { startServer } from "./server.ts";
import { runOnWritableNode } from "./superuser.ts";
import { waitUntil } from "./wait-until.ts";

export interface BackupServer extends WalArchive, NodeMarks, OnHost {
  /** Path of the script in its container that takes a backup and waits until it can be restored. */
  readonly takeBackup: string;
  /** The folder in its container that has the WAL it is receiving. */
  readonly streamingFolder: string;
  /** Whether writes wait for it. */
  readonly confirmsWrites: boolean;
}

export interface BackupOptions {
  readonly docker: Docker;
  readonly server: BackupServer;
  readonly status: (message: string) => void;
  readonly log: (message: string) => void;
  readonly signal?: AbortSignal;
}

/** A server that is idle archives its first segment within seconds of being told to switch. */
const READY_TIMEOUT_SECONDS = 90;
const CHECK_INTERVAL_MILLISECONDS = 500;

/** What Barman checks that only a backup can mend. */
const MENDED_BY_A_BACKUP: ReadonlySet<string> = new Set([
  "backup maximum age",
  "backup minimum size",
  "minimum redundancy requirements",
  "failed backups",
]);

/**
 * Brings a Barman server to where all its checks pass, and its newest backup can be restored and is young enough: it
 * is started, its receiver is waited for, what failed is removed, and where a backup is wanting one is taken.
 * @returns the newest backup that can be restored.
 */
export async function ensureBackups(options: BackupOptions): Promise<Backup> {
  const { docker, server, status, log } = options;
  await startServer({ name: "the backup server", container: server.container, ...placeOf(server) });
  if (!(await isRegistered(docker, server.container))) await registerContainer(docker, server.container);
  status("waits until Barman receives the WAL");
  await alignReceiver(options);
  const failed = await untilReady(options);
  await removeFailed(options);
  const missing = await missingWal(docker, server);
  if (missing !== undefined) log(`the WAL file ${missing} is missing: a new base backup makes up for it`);
  const astray = await astrayBackup(docker, server, await findNodes(server));
  if (astray !== undefined)
    log(`${astray.id} is of a time that the primary went back behind: a new base backup is taken`);
  const wanting = failed.length > 0 || missing !== undefined || astray !== undefined;
  if (wanting || (await newestRestorable(docker, server)) === undefined) {
    status("takes a base backup");
    log(`took the base backup ${(await takeBackup(docker, server)).id}`);
  }
  await untilAllPass(options);
  const newest = await newestRestorable(docker, server);
  if (newest === undefined)
    throw new OperationError("expected Barman to have a backup that can be restored; it has none.");
  return newest;
}

export async function newestRestorable(docker: Docker, server: Barman): Promise<Backup | undefined> {
  return (await listBackups(docker, server)).find(isRestorable);
}

/** Barman asks when it starts its receiver, and only then, whether writes wait for it: its main loop starts it again. */
async function alignReceiver({ docker, server, log }: BackupOptions): Promise<void> {
  if ((await receiverAgrees(docker, server)) !== false) return;
  log(`the WAL receiver starts again: it ${server.confirmsWrites ? "confirms" : "does not confirm"} every write`);
  await barman(docker, server, "receive-wal", "--stop", server.server);
}

/** Whether the receiver confirms each write at once, and shall, or does not and shall not; undefined: it does not run. */
export async function receiverAgrees(
  docker: Docker,
  { container, confirmsWrites }: Pick<BackupServer, "container" | "confirmsWrites">,
): Promise<boolean | undefined> {
  const command = ["pgrep", "-a", "-x", "pg_receivewal"];
  const { exitCode, stdout } = await execIn(docker, { container, user: "postgres", command });
  return exitCode === 0 ? stdout.includes("--synchronous") === confirmsWrites : undefined;
}

/** Waits for everything but what a backup mends, and returns what is left of that. */
async function untilReady(options: BackupOptions): Promise<BarmanCheck[]> {
  const { docker, server } = options;
  const passed = await untilChecks(options, "Barman to receive and archive the WAL", async (failed) => {
    const hard = failed.filter(({ what }) => !MENDED_BY_A_BACKUP.has(what));
    if (hard.some(({ what }) => what === "receive wal running")) await realignReceiver(options);
    // Until its first segment is full or switched, Barman has an empty archive, and takes no backup.
    if (hard.some(({ what }) => what === "wal archive")) await archiveOneSegment(docker, server);
    return hard.length === 0;
  });
  return passed;
}

/**
 * Where all went back to an earlier moment, the receiver asks for WAL that no server has. It is to begin where the
 * primary is now; what it has received is archived as it is.
 */
async function realignReceiver({ docker, server, log }: BackupOptions): Promise<void> {
  const newest = await astrayReceived(docker, server, await findNodes(server));
  if (newest === undefined) return;
  if (newest.endsWith(".partial")) {
    const command = ["mv", newest, newest.replace(/\.partial$/, "")];
    await execIn(docker, { container: server.container, user: "postgres", command });
  }
  const { exitCode } = await barman(docker, server, "receive-wal", "--reset", server.server);
  if (exitCode === 0) log("the WAL receiver begins anew: the primary went back behind what it had received");
}

async function archiveOneSegment(docker: Docker, server: BackupServer): Promise<void> {
  const nodes = await findNodes(server);
  await runOnWritableNode(nodes, SWITCH_WAL);
  await barman(docker, server, "archive-wal", server.server);
}

/** A segment without a record in it is not switched. */
const SWITCH_WAL = `SELECT pg_create_restore_point('pg-topology'), pg_switch_wal() \\g /dev/null
`;

const untilAllPass = (options: BackupOptions): Promise<BarmanCheck[]> =>
  untilChecks(options, "all checks of Barman to pass", async (failed) => failed.length === 0);

async function untilChecks(
  { docker, server, signal }: BackupOptions,
  condition: string,
  enough: (failed: BarmanCheck[]) => Promise<boolean>,
): Promise<BarmanCheck[]> {
  let seen = "nothing yet";
  return waitUntil({
    condition,
    timeoutSeconds: READY_TIMEOUT_SECONDS,
    intervalMilliseconds: CHECK_INTERVAL_MILLISECONDS,
    signal,
    probe: async () => {
      await requireRunning(docker, server);
      const failed = (await checkBarman(docker, server)).filter(({ ok }) => !ok);
      seen = failed.map(describeCheck).join("; ");
      return (await enough(failed)) ? failed : undefined;
    },
    seen: async () => `${seen}. Last lines of its log:\n${await lastLogLines(docker, server.container)}`,
  });
}

export const describeCheck = ({ what, hint }: BarmanCheck): string => (hint === "" ? what : `${what} (${hint})`);

async function requireRunning(docker: Docker, { container }: Barman): Promise<void> {
  if ((await inspectContainer(docker, container))?.State.Running === true) return;
  const log = await lastLogLines(docker, container);
  throw new OperationError(`the backup server ${container} has ended. Last lines of its log:\n${log}`);
}

/** A backup that failed is worth nothing, and keeps Barman's checks from passing. */
async function removeFailed({ docker, server, log }: BackupOptions): Promise<void> {
  const failed = (await listBackups(docker, server)).filter(({ status }) => status === "FAILED");
  for (const { id } of failed) {
    await barman(docker, server, "delete", server.server, id);
    log(`removed the backup ${id}, which had failed`);
  }
}

/**
 * Takes a base backup now, and waits until all WAL that it needs is archived.
 * @throws OperationError in Barman's own words.
 */
export async function takeBackup(docker: Docker, server: Barman & { readonly takeBackup: string }): Promise<Backup> {
  const command = [server.takeBackup];
  const { exitCode, stdout, stderr } = await execIn(docker, { container: server.container, user: "postgres", command });
  const newest = (await listBackups(docker, server))[0];
  if (exitCode === 0 && newest !== undefined && isRestorable(newest)) return newest;
  const words = barmanWords(stdout + stderr);
  throw new OperationError(`the base backup failed (its status is ${newest?.status ?? "unknown"}): ${words}`);
}
