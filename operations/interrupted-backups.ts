import type Docker from "dockerode";
import { archiveOneSegment } from "./archived-wal.ts";
import { barman, barmanWords, listBackups } from "./barman.ts";
import type { Backup, Barman } from "./barman.ts";
import { OperationError } from "./errors.ts";
import { execIn } from "./exec.ts";
import type { ExecResult } from "./exec.ts";
import type { NodeMarks } from "./node.ts";
import { waitUntil } from "./wait-until.ts";

export interface BackupLock extends Barman {
  /** Path in its container of the file that Barman locks while it takes a base backup, or removes one. */
  readonly backupLock: string;
  /** Path there of the folder that has a folder for each base backup. */
  readonly baseFolder: string;
}

export interface SettleOptions {
  readonly docker: Docker;
  readonly server: BackupLock & NodeMarks;
  readonly status: (message: string) => void;
  readonly log: (message: string) => void;
  readonly signal?: AbortSignal;
}

/** As long as the base backup of a large server may take. */
const BACKUP_TIMEOUT_SECONDS = 24 * 60 * 60;
const WAL_TIMEOUT_SECONDS = 30;
const INTERVAL_MILLISECONDS = 1000;

/** What Barman was killed in the middle of stays so for ever: of its own accord it looks only for what has FAILED. */
const hasBegunOnly = ({ status }: Backup): boolean => status === "EMPTY" || status === "STARTED";
const isUnfinished = (backup: Backup): boolean => hasBegunOnly(backup) || backup.status === "FAILED";
export const waitsForWal = ({ status }: Backup): boolean => status === "WAITING_FOR_WALS";
const isUnderWay = (backup: Backup): boolean => hasBegunOnly(backup) || waitsForWal(backup);

/** Of the backups that were listed those that are not done, and that nobody is taking any more. */
export async function interruptedAmong(
  docker: Docker,
  server: BackupLock,
  backups: readonly Backup[],
): Promise<Backup[]> {
  const begun = backups.filter(isUnderWay);
  if (begun.length === 0 || (await underBackupLock(docker, server, "true")) === undefined) return [];
  // Meanwhile one may have ended as it should.
  const now = new Map((await listBackups(docker, server)).map((backup) => [backup.id, backup]));
  return begun.filter(({ id }) => {
    const backup = now.get(id);
    return backup !== undefined && isUnderWay(backup);
  });
}

/**
 * Waits for the base backup that is being taken, if there is one: an update that was interrupted leaves Barman at it.
 * One that waits for WAL only is given it.
 * @returns all backups, of which nobody is taking one.
 */
export async function settledBackups(options: SettleOptions): Promise<Backup[]> {
  const { docker, server } = options;
  await untilNobodyTakesOne(options);
  const backups = await listBackups(docker, server);
  const waiting = backups.filter(waitsForWal);
  if (waiting.length === 0) return backups;
  for (const backup of waiting) await untilArchived(options, backup);
  return listBackups(docker, server);
}

async function untilNobodyTakesOne({ docker, server, status, signal }: SettleOptions): Promise<void> {
  await waitUntil({
    condition: "the base backup that is being taken to end",
    timeoutSeconds: BACKUP_TIMEOUT_SECONDS,
    intervalMilliseconds: INTERVAL_MILLISECONDS,
    signal,
    probe: async () => {
      // A copy that goes on although its Barman is gone is of use to nobody.
      const ended = await underBackupLock(docker, server, "pkill", "-KILL", "-x", "pg_basebackup");
      if (ended !== undefined) return ended.exitCode === 0 ? undefined : true;
      status("waits for the base backup that is being taken");
      if ((await listBackups(docker, server)).some(waitsForWal)) await archiveOneSegment(docker, server);
      return undefined;
    },
    seen: () => "Barman is still at it",
  });
}

/** Without an error where it never comes: whether there is a backup that can be restored, others look at. */
async function untilArchived(options: SettleOptions, { id }: Backup): Promise<void> {
  const { docker, server, status, log, signal } = options;
  status(`waits for the WAL of ${id}`);
  try {
    await waitUntil({
      condition: `the WAL of the base backup ${id} to be archived`,
      timeoutSeconds: WAL_TIMEOUT_SECONDS,
      intervalMilliseconds: INTERVAL_MILLISECONDS,
      signal,
      probe: async () => {
        await archiveOneSegment(docker, server);
        await barman(docker, server, "check-backup", server.server, id);
        const found = (await listBackups(docker, server)).find((backup) => backup.id === id);
        return found === undefined || !waitsForWal(found) || undefined;
      },
      seen: () => "it is not there yet",
    });
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    log(error.message);
  }
}

/**
 * Removes what cannot be restored: it is worth nothing, and keeps Barman's checks from passing.
 * @param backups of which nobody is taking one.
 * @returns what was removed.
 */
export async function removeUnfinished(
  { docker, server, log }: Pick<SettleOptions, "docker" | "server" | "log">,
  backups: readonly Backup[],
): Promise<Backup[]> {
  const unfinished = backups.filter(isUnfinished);
  for (const backup of unfinished) {
    // Of one that was interrupted before it had a folder Barman fails to remove that, and keeps the rest.
    const command = ["mkdir", "-p", `${server.baseFolder}/${backup.id}`];
    await execIn(docker, { container: server.container, user: "postgres", command });
    const { exitCode, stdout, stderr } = await barman(docker, server, "delete", server.server, backup.id);
    const which = `the backup ${backup.id}, which ${hasBegunOnly(backup) ? "was interrupted" : "had failed"}`;
    if (exitCode !== 0) throw new OperationError(`${which}, cannot be removed: ${barmanWords(stdout + stderr)}`);
    log(`removed ${which}`);
  }
  return unfinished;
}

/** Not one that any of the commands has. */
const LOCKED_EXIT_CODE = 75;

/** undefined: somebody takes a base backup, or removes one. */
async function underBackupLock(
  docker: Docker,
  { container, backupLock }: BackupLock,
  ...command: readonly string[]
): Promise<ExecResult | undefined> {
  const flock = ["flock", "--nonblock", "--conflict-exit-code", `${LOCKED_EXIT_CODE}`, backupLock];
  const result = await execIn(docker, { container, user: "postgres", command: [...flock, ...command] });
  return result.exitCode === LOCKED_EXIT_CODE ? undefined : result;
}
