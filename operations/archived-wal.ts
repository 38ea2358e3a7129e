import type Docker from "dockerode";
import { barman, barmanWords, latestBeginWal } from "./barman.ts";
import type { Barman } from "./barman.ts";
import { OperationError } from "./errors.ts";
import { execIn } from "./exec.ts";
import { findNodes } from "./node.ts";
import type { NodeMarks } from "./node.ts";
import { runOnWritableNode } from "./superuser.ts";

/** A Barman server, and the folder in its container that has its archived WAL. */
export interface WalArchive extends Barman {
  readonly walFolder: string;
}

/**
 * The first WAL file that is missing between the newest backup and the newest file that was received: what comes after
 * it cannot be restored. Barman looks for the files that a backup itself needs, and for no others.
 */
export async function missingWal(
  docker: Docker,
  { streamingFolder, ...archive }: WalArchive & { readonly streamingFolder: string },
): Promise<string | undefined> {
  // In this order: what is archived meanwhile is found in one of them at least.
  const folders = [streamingFolder, archive.walFolder];
  const [beginWal, files] = await Promise.all([latestBeginWal(docker, archive), filesIn(docker, archive, folders)]);
  const names = files.map((file) => file.replace(/\.partial$/, ""));
  return beginWal === undefined ? undefined : firstMissing(names, beginWal);
}

/** The names of all archived files. Barman itself counts those of one timeline only. */
export const archivedFiles = (docker: Docker, archive: WalArchive): Promise<string[]> =>
  filesIn(docker, archive, [archive.walFolder]);

async function filesIn(docker: Docker, { container }: Barman, folders: readonly string[]): Promise<string[]> {
  const command = ["find", ...folders, "-type", "f", "-printf", "%f\n"];
  const { exitCode, stdout, stderr } = await execIn(docker, { container, user: "postgres", command });
  if (exitCode !== 0) throw new OperationError(`the WAL of the backups cannot be listed: ${barmanWords(stderr)}`);
  return stdout.split("\n");
}

/** A segment without a record in it is not switched. */
const SWITCH_WAL = `SELECT pg_create_restore_point('pg-topology'), pg_switch_wal() \\g /dev/null
`;

/** Has the primary begin another WAL file, and Barman archive those that it has received whole. */
export async function archiveOneSegment(docker: Docker, server: Barman & NodeMarks): Promise<void> {
  await runOnWritableNode(await findNodes(server), SWITCH_WAL);
  await barman(docker, server, "archive-wal", server.server);
}

/**
 * Goes through the names of WAL files from the one that a backup begins with to the newest. A change of the primary
 * begins a new timeline in the middle of a segment: a segment that any timeline has is there. Pure.
 */
export function firstMissing(files: readonly string[], beginWal: string): string | undefined {
  const begin = segmentOf(beginWal);
  const archived = files
    .filter((file) => /^[0-9A-F]{24}$/.test(file) && segmentOf(file) >= begin)
    .toSorted((a, b) => (segmentOf(a) < segmentOf(b) ? -1 : 1));
  let last: string | undefined;
  for (const file of archived) {
    if (last === undefined && segmentOf(file) !== begin) return beginWal;
    if (last !== undefined && !follows(last, file)) return next(last);
    last = file;
  }
  return last === undefined ? beginWal : undefined;
}

/** Without the timeline: both halves of the number, which have eight digits each. */
const segmentOf = (file: string): string => file.slice(8);

interface Segment {
  readonly log: number;
  readonly number: number;
}

const parsed = (file: string): Segment => ({
  log: Number.parseInt(file.slice(8, 16), 16),
  number: Number.parseInt(file.slice(16), 16),
});

/** How many segments there are to a log depends on their size, which is a power of two. */
function follows(before: string, file: string): boolean {
  if (segmentOf(before) === segmentOf(file)) return true;
  const [from, to] = [parsed(before), parsed(file)];
  if (to.log === from.log) return to.number === from.number + 1;
  return to.log === from.log + 1 && to.number === 0 && isPowerOfTwo(from.number + 1);
}

const isPowerOfTwo = (count: number): boolean => Number.isInteger(Math.log2(count));

/** Segments have 16 MB unless initdb was told otherwise: a log has 256. */
function next(file: string): string {
  const { log, number } = parsed(file);
  const [nextLog, nextNumber] = number === 0xff ? [log + 1, 0] : [log, number + 1];
  const half = (value: number): string => value.toString(16).toUpperCase().padStart(8, "0");
  return file.slice(0, 8) + half(nextLog) + half(nextNumber);
}
