import type Docker from "dockerode";
import { newestRestorable } from "./backup-server.ts";
import { barman, barmanWords } from "./barman.ts";
import type { Backup, Barman } from "./barman.ts";
import { recordDrill } from "./drill-record.ts";
import { OperationError, noAnswer } from "./errors.ts";
import { execIn } from "./exec.ts";
import { beat, requireIntact, restoredHeartbeats } from "./heartbeats.ts";
import type { Node } from "./node.ts";
import type { BackupFolder } from "./proven-backup.ts";
import { EVERYTHING, barmanOptions } from "./restore-target.ts";
import { requireRoom } from "./restore.ts";
import { removeRestored, restoredServer, startRestored, untilReached } from "./restored-server.ts";
import type { Reached, RestoredNode } from "./restored-server.ts";
import { runAsSuperuser } from "./superuser.ts";

export interface RestoreDrill {
  readonly server: BackupFolder;
  readonly node: RestoredNode;
  /** Where the assertions are asked. */
  readonly database: string;
  /** Queries that give true where all is well. */
  readonly assertions: readonly string[];
  /** In the backup server: where the result of the last drill is kept. */
  readonly record: string;
}

/** What a drill has proven. */
export interface DrillReport {
  readonly backup: string;
  /** The last transaction that came back, as PostgreSQL writes its moment. */
  readonly restoredTo: string;
  /** From the decision to restore to a server that answers with all its data. */
  readonly rtoSeconds: number;
  /** What a loss of the primary when the drill began would have cost; null: there was no primary to compare with. */
  readonly rpoSeconds: number | null;
  readonly checks: readonly string[];
  readonly at: string;
}

/** Why there is to be another drill; undefined: there is not. Pure. @param now in milliseconds since 1970. */
export function drillDue(
  last: DrillReport,
  newestBackup: string | undefined,
  everySeconds: number | null,
  now: number,
): string | undefined {
  if (newestBackup === undefined) return undefined;
  if (newestBackup !== last.backup) {
    return `${newestBackup} is newer than the last backup that was drilled, ${last.backup}: it is restored and checked`;
  }
  if (everySeconds === null || now - Date.parse(last.at) < everySeconds * 1000) return undefined;
  return `the last drill was at ${last.at}: ${newestBackup} is restored and checked again`;
}

export interface DrillOptions {
  readonly docker: Docker;
  readonly drill: RestoreDrill;
  /** The nodes of the topology. */
  readonly nodes: readonly Node[];
  readonly status: (message: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Restores the newest backup with all WAL there is, to a server without any network, looks whether all is well in
 * there, and removes it again.
 * @throws OperationError naming the backup, and what is wrong with it.
 */
export async function runDrill(options: DrillOptions): Promise<DrillReport> {
  const { docker, drill, status } = options;
  const backup = await newestRestorable(docker, drill.server);
  if (backup === undefined) throw new OperationError("expected a backup to drill; there is none that can be restored.");
  await requireRoom(docker, drill.server, drill.node, { backup, ...EVERYTHING });
  try {
    status(`verifies ${backup.id}`);
    await verify(docker, drill.server, backup);
    const report = await restoreAndCheck(options, backup);
    await recordDrill(docker, drill.server, drill.record, { ...report, failure: null });
    return report;
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    await recordFailure(options, backup, error);
    throw new OperationError(
      `the drill of the backup ${backup.id} failed: ${error.message}\nTake another one by npm run backup -- now; the next update drills that.`,
    );
  } finally {
    await removeRestored(docker, drill.node);
  }
}

/** Where even that cannot be written, what the drill found is told all the same. */
async function recordFailure({ docker, drill }: DrillOptions, { id }: Backup, error: OperationError): Promise<void> {
  const failed = { backup: id, at: new Date().toISOString(), rtoSeconds: null, rpoSeconds: null };
  await recordDrill(docker, drill.server, drill.record, { ...failed, failure: error.message }).catch(noAnswer);
}

/** The one finds a missing file of WAL and no flipped byte, the other a flipped byte and no missing WAL. */
async function verify(docker: Docker, server: Barman, { id }: Backup): Promise<void> {
  for (const command of ["check-backup", "verify-backup"]) {
    const { exitCode, stdout, stderr } = await barman(docker, server, command, server.server, id);
    // By a signal: whoever ended it has not seen the backup to its end.
    if (exitCode > 128) throw new OperationError(`barman ${command} was ended before it had an answer.`);
    if (exitCode !== 0) throw new OperationError(`it is spoiled. ${verifyWords(stdout + stderr)}`);
  }
  const after = await newestRestorable(docker, server);
  if (after?.id !== id) throw new OperationError("it is spoiled: Barman has found WAL missing that it needs.");
}

/** The words of pg_verifybackup where there are some: they name the file. */
export function verifyWords(output: string): string {
  const own = output.split("\n").flatMap((line) => /pg_verifybackup: error: (.*)$/.exec(line)?.[1] ?? []);
  return own.length > 0 ? own.slice(0, 3).join("; ") : barmanWords(output);
}

async function restoreAndCheck(
  { docker, drill, nodes, status, signal }: DrillOptions,
  backup: Backup,
): Promise<DrillReport> {
  const { node } = drill;
  const written = await beat(nodes);
  const startedAt = performance.now();
  status(`restores ${backup.id}`);
  await startRestored(docker, node, backup.id, barmanOptions(EVERYTHING), signal);
  const reached = await untilReached(docker, node, signal);
  const rtoSeconds = Math.round((performance.now() - startedAt) / 100) / 10;
  status("checks what was restored");
  requireIntact(await restoredHeartbeats(restoredServer(node)), written);
  const checks = ["check-backup", "verify-backup", "heartbeats", await amcheck(docker, node)];
  checks.push(...(await assertAll(drill)));
  return {
    backup: backup.id,
    restoredTo: reached.lastTransactionAt,
    rtoSeconds,
    rpoSeconds: lostSeconds(written?.at ?? null, reached),
    checks,
    at: new Date().toISOString(),
  };
}

function lostSeconds(began: number | null, { lastTransactionAt }: Reached): number | null {
  if (began === null) return null;
  const last = Date.parse(lastTransactionAt.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00"));
  return Number.isNaN(last) ? null : Math.max(0, Math.round((began - last) / 100) / 10);
}

/** Reads every table and index of every database, which checks the checksum of every page too. */
async function amcheck(docker: Docker, { container }: RestoredNode): Promise<string> {
  const command = ["pg_amcheck", "--all", "--install-missing", "--jobs", "2", "--no-strict-names"];
  const { exitCode, stdout, stderr } = await execIn(docker, { container, user: "postgres", command });
  if (exitCode === 0) return "pg_amcheck";
  const words = (stdout + stderr).trim().split("\n").slice(0, 3).join("; ");
  throw new OperationError(`pg_amcheck finds it corrupt: ${words}`);
}

/** Their statements find their tables where their sessions do. */
const OF_THE_USER = "RESET search_path;\n";

async function assertAll({ node, database, assertions }: RestoreDrill): Promise<string[]> {
  for (const assertion of assertions) {
    const answer = await runAsSuperuser(restoredServer(node), `${OF_THE_USER}${assertion}\n;\n`, database);
    if (answer !== "t") throw new OperationError(`expected true of the assertion ${assertion}, but got "${answer}".`);
  }
  return [...assertions];
}
