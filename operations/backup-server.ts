import type Docker from "dockerode";
import prettyBytes from "pretty-bytes";
import { astrayBackup, receiverStuckAt } from "./astray.ts";
import { archiveOneSegment, missingWal } from "./archived-wal.ts";
import type { WalArchive } from "./archived-wal.ts";
import { barman, barmanWords, checkBarman, isRestorable, listBackups } from "./barman.ts";
import type { Backup, Barman, BarmanCheck } from "./barman.ts";
import { freeBytesOf, requireRoomForWal } from "./backup-room.ts";
import type { BackupHome } from "./backup-room.ts";
import { placeOf } from "./docker-host.ts";
import type { OnHost } from "./docker-host.ts";
import { inspectContainer, lastLogLines } from "./engine.ts";
import { OperationError } from "./errors.ts";
import { execIn } from "./exec.ts";
import { removeUnfinished, settledBackups } from "./interrupted-backups.ts";
import type { BackupLock } from "./interrupted-backups.ts";
import { findNodes } from "./node.ts";
import type { NodeMarks } from "./node.ts";
import { isRegistered, registerContainer } from "./registration.ts";
import type { RetentionPolicy } from "./retention.ts";
import { startServer } from "./server.ts";
import { reserveAnew } from "./slots.ts";
import { waitUntil } from "./wait-until.ts";

export interface BackupServer extends WalArchive, BackupHome, BackupLock, RetentionPolicy, NodeMarks, OnHost {
  /** Path of the script in its container that takes a backup and waits until it can be restored. */
  readonly takeBackup: string;
  /** The folder in its container that has the WAL it is receiving. */
  readonly streamingFolder: string;
  /** That it streams from. */
  readonly slot: string;
  /** Path of the file in its container whose age has the main loop run Barman's cron. */
  readonly cronMark: string;
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

export const isMendedByABackup = ({ what }: BarmanCheck): boolean => MENDED_BY_A_BACKUP.has(what);

/**
 * Brings a Barman server to where all its checks pass, and its newest backup can be restored and is young enough: it
 * is started, its receiver is waited for, and so is a backup that is being taken; what failed or was interrupted is
 * removed, and where a backup is wanting one is taken.
 * @returns the newest backup that can be restored.
 */
export async function ensureBackups(options: BackupOptions): Promise<Backup> {
  const { docker, server, status, log } = options;
  await startServer({ name: "the backup server", container: server.container, ...placeOf(server) });
  if (!(await isRegistered(docker, server.container))) await registerContainer(docker, server.container);
  await requireRoomForWal(docker, server);
  await alignReceiver(options);
  // First: WAL goes with them, and Barman takes no backup while it has none.
  const removed = await removeUnfinished(options, await settledBackups(options));
  status("waits until Barman receives the WAL");
  const failed = await untilReady(options);
  const missing = await missingWal(docker, server);
  if (missing !== undefined) log(`the WAL file ${missing} is missing: a new base backup makes up for it`);
  const astray = await astrayBackup(docker, server, await findNodes(server));
  if (astray !== undefined)
    log(`${astray.id} is of a time that the primary went back behind: a new base backup is taken`);
  const last = await newestRestorable(docker, server);
  const wanting = failed.length > 0 || missing !== undefined || astray !== undefined;
  if (wanting || last === undefined || removed.some(({ id }) => id > last.id)) {
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
    const hard = failed.filter((check) => !isMendedByABackup(check));
    if (hard.some(({ what }) => what === "receive wal running")) await realignReceiver(options);
    // Until its first segment is full or switched, Barman has an empty archive, and takes no backup.
    if (hard.some(({ what }) => what === "wal archive")) await archiveOneSegment(docker, server);
    return hard.length === 0;
  });
  return passed;
}

/**
 * Where all went back to an earlier moment, or where it was away for too long, the receiver asks for WAL that no server
 * has. It is to begin where the primary is now; what it has received is archived as it is.
 */
async function realignReceiver(options: BackupOptions): Promise<void> {
  const { docker, server, log } = options;
  const nodes = await findNodes(server);
  const stuck = await receiverStuckAt(docker, server, nodes);
  if (stuck === undefined) return;
  const { path, isOfFullSize, isGone } = stuck;
  const exec = (...command: string[]) => execIn(docker, { container: server.container, user: "postgres", command });
  // Meanwhile nobody starts the receiver: it would tell the slot to keep WAL from where it is stuck, which is gone.
  await exec("touch", "--date", "+20 seconds", server.cronMark);
  await barman(docker, server, "receive-wal", "--stop", server.server);
  if (isOfFullSize && path.endsWith(".partial")) await exec("mv", path, path.replace(/\.partial$/, ""));
  if (isGone) await reserveAnew(nodes, server.slot);
  const { exitCode } = await barman(docker, server, "receive-wal", "--reset", server.server);
  await exec("touch", "--date", "-1 minute", server.cronMark);
  const why = isGone
    ? "the primary has no longer the WAL that comes next"
    : "the primary went back behind what it had received";
  if (exitCode === 0) log(`the WAL receiver begins anew: ${why}`);
}

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

/**
 * Takes a base backup now, and waits until all WAL that it needs is archived.
 * @throws OperationError in Barman's own words.
 */
export async function takeBackup(
  docker: Docker,
  server: BackupHome & { readonly takeBackup: string },
): Promise<Backup> {
  const command = [server.takeBackup];
  const { exitCode, stdout, stderr } = await execIn(docker, { container: server.container, user: "postgres", command });
  const newest = (await listBackups(docker, server))[0];
  if (exitCode === 0 && newest !== undefined && isRestorable(newest)) return newest;
  const [words, free] = [barmanWords(stdout + stderr), prettyBytes(await freeBytesOf(docker, server))];
  throw new OperationError(
    `the base backup failed (its status is ${newest?.status ?? "unknown"}; its volume has ${free} free): ${words}`,
  );
}
