import type Docker from "dockerode";
import { OperationError } from "./errors.ts";
import { execIn } from "./exec.ts";
import type { ExecResult } from "./exec.ts";

/** A Barman server, and what the topology is called in it. */
export interface Barman {
  readonly container: string;
  readonly server: string;
}

/** A base backup in Barman's catalogue. */
export interface Backup {
  /** When it began, as Barman writes it, for example 20261121T020001. */
  readonly id: string;
  /** Only one that is DONE can be restored. */
  readonly status: string;
  /** In milliseconds since 1970; null while it runs. */
  readonly endedAt: number | null;
  /** From here on it is consistent; null while it runs. */
  readonly endLsn: string | null;
  /** On which it ended; null while it runs. */
  readonly timeline: number | null;
  /** Of the cluster that it is of; null: Barman does not say (before 3.13). */
  readonly systemIdentifier: string | null;
  /** Of the files; their WAL comes on top. */
  readonly sizeBytes: number;
  readonly walBytes: number;
  /** What the retention policy says of it, for example VALID or OBSOLETE, or KEEP:FULL. */
  readonly retention: string;
}

/** One line of `barman check`. */
export interface BarmanCheck {
  readonly what: string;
  readonly ok: boolean;
  readonly hint: string;
}

const USER = "postgres";

/** Runs `barman ARGS` in the backup server's container; whatever its exit code, that is a result. */
export const barman = (docker: Docker, { container }: Barman, ...args: readonly string[]): Promise<ExecResult> =>
  execIn(docker, { container, user: USER, command: ["barman", ...args] });

/** The backups of the topology, newest first. */
export async function listBackups(docker: Docker, server: Barman): Promise<Backup[]> {
  const { exitCode, stdout, stderr } = await barman(docker, server, "-f", "json", "list-backups", server.server);
  if (exitCode !== 0) throw new OperationError(`Barman cannot list its backups: ${barmanWords(stdout + stderr)}`);
  const listed = (JSON.parse(stdout) as Record<string, readonly ListedBackup[]>)[server.server] ?? [];
  return listed.map((backup) => asBackup(backup)).toSorted((a, b) => (a.id > b.id ? -1 : 1));
}

/** The same, with where each ends in the WAL: Barman has to be asked for each. */
export async function listBackupsWithEnds(docker: Docker, server: Barman): Promise<Backup[]> {
  const backups = await listBackups(docker, server);
  return Promise.all(
    backups.map(async (backup) => ({ ...backup, ...endOf(await showBackup(docker, server, backup.id)) })),
  );
}

function endOf(shown: ShownBackup | undefined): Pick<Backup, "endLsn" | "timeline" | "systemIdentifier"> {
  const { end_lsn: endLsn = null, end_wal: endWal } = shown?.base_backup_information ?? {};
  const timeline = endWal === undefined ? null : timelineOf(endWal);
  return { endLsn, timeline, systemIdentifier: shown?.system_id ?? null };
}

/** Of a WAL file, by its name. */
export const timelineOf = (walFile: string): number => Number.parseInt(walFile.slice(0, 8), 16);

/** The WAL file that the newest backup begins with; undefined: there is none. */
export async function latestBeginWal(docker: Docker, server: Barman): Promise<string | undefined> {
  return (await showBackup(docker, server, "latest"))?.base_backup_information?.begin_wal;
}

/** On which timeline a base backup was taken, and where it ended. */
export interface BackupSpan {
  readonly id: string;
  readonly timeline: number;
  readonly endLsn: string;
}

/** undefined: there is no backup that has ended. */
export async function newestBackupSpan(docker: Docker, server: Barman): Promise<BackupSpan | undefined> {
  const shown = await showBackup(docker, server, "latest");
  const { begin_wal: beginWal, end_lsn: endLsn } = shown?.base_backup_information ?? {};
  if (shown === undefined || beginWal === undefined || endLsn === undefined) return undefined;
  return { id: shown.backup_id, timeline: timelineOf(beginWal), endLsn };
}

interface ShownBackup {
  readonly backup_id: string;
  readonly system_id?: string;
  readonly base_backup_information?: {
    readonly begin_wal?: string;
    readonly end_wal?: string;
    readonly end_lsn?: string;
  };
}

async function showBackup(docker: Docker, server: Barman, id: string): Promise<ShownBackup | undefined> {
  const { exitCode, stdout } = await barman(docker, server, "-f", "json", "show-backup", server.server, id);
  return exitCode === 0 ? (JSON.parse(stdout) as Record<string, ShownBackup>)[server.server] : undefined;
}

interface ListedBackup {
  readonly backup_id: string;
  readonly status: string;
  readonly end_time_timestamp?: string;
  readonly size_bytes?: number;
  readonly wal_size_bytes?: number;
  readonly retention_status?: string;
}

const asBackup = (listed: ListedBackup): Backup => ({
  id: listed.backup_id,
  status: listed.status,
  endedAt: listed.end_time_timestamp === undefined ? null : Number(listed.end_time_timestamp) * 1000,
  endLsn: null,
  timeline: null,
  systemIdentifier: null,
  sizeBytes: listed.size_bytes ?? 0,
  walBytes: listed.wal_size_bytes ?? 0,
  retention: listed.retention_status ?? "",
});

export const isRestorable = ({ status }: Backup): boolean => status === "DONE";

/** What Barman checks, in its own order and words; that it could not check is a check that has failed. */
export async function checkBarman(docker: Docker, server: Barman): Promise<BarmanCheck[]> {
  return parseCheck(await barman(docker, server, "-f", "json", "check", server.server), server.server);
}

/** Barman writes its lines when it has ended, and its exit code says whether they are all OK. Pure. */
export function parseCheck(result: ExecResult, server: string): BarmanCheck[] {
  const lines = Object.entries(parsedChecks(result.stdout)[server] ?? {});
  const checks = lines.map(([what, { status, hint = "" }]) => {
    return { what: what.replaceAll("_", " "), ok: status === "OK", hint };
  });
  const isTold = checks.length > 0 && checks.every(({ ok }) => ok) === (result.exitCode === 0);
  return isTold ? checks : [...checks, notChecked(result)];
}

function notChecked({ exitCode, stdout, stderr }: ExecResult): BarmanCheck {
  const words = barmanWords(stderr === "" ? stdout : stderr);
  return { what: "barman check", ok: false, hint: `it ended with exit code ${exitCode}${words && `: ${words}`}` };
}

function parsedChecks(stdout: string): Record<string, Record<string, { status: string; hint?: string }>> {
  try {
    return JSON.parse(stdout) as Record<string, Record<string, { status: string; hint?: string }>>;
  } catch {
    return {};
  }
}

/** The lines of an output that say what is wrong; dumps and traces are for Barman's authors. */
export function barmanWords(output: string): string {
  const lines = output.split("\n");
  const words = lines.flatMap((line) => /(?:ERROR|WARNING|EXCEPTION|CRITICAL): (.*)$/.exec(line)?.[1] ?? []);
  const said = [...new Set(words)].filter((word) => !word.includes("BackupInfo("));
  return said.length > 0 ? said.join(" ") : (output.trim().split("\n").at(-1) ?? "");
}

/**
 * Removes a backup, and the WAL that no other one needs.
 * @throws OperationError where the minimum redundancy or a keep forbids it.
 */
export async function deleteBackup(docker: Docker, server: Barman, id: string): Promise<void> {
  await requireBackup(docker, server, id);
  const { exitCode, stdout, stderr } = await barman(docker, server, "delete", server.server, id);
  if (exitCode !== 0 || (await listBackups(docker, server)).some((backup) => backup.id === id)) {
    throw new OperationError(`The backup ${id} is not removed: ${barmanWords(stdout + stderr)}`);
  }
}

/** Exempts a backup from the retention policy, or puts it under the policy again. */
export async function keepBackup(
  docker: Docker,
  server: Barman,
  id: string,
  action: "keep" | "release",
): Promise<void> {
  await requireBackup(docker, server, id);
  const option = action === "keep" ? ["--target", "full"] : ["--release"];
  const { exitCode, stdout, stderr } = await barman(docker, server, "keep", ...option, server.server, id);
  if (exitCode !== 0) throw new OperationError(`The backup ${id} stays as it is: ${barmanWords(stdout + stderr)}`);
}

async function requireBackup(docker: Docker, server: Barman, id: string): Promise<void> {
  const backups = await listBackups(docker, server);
  if (backups.some((backup) => backup.id === id)) return;
  const known = backups.map((backup) => backup.id).join(", ");
  throw new OperationError(`There is no backup ${id}. There are: ${known === "" ? "none" : known}.`);
}
