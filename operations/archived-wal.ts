import type Docker from "dockerode";
import { barmanWords, latestBeginWal } from "./barman.ts";
import type { Barman } from "./barman.ts";
import { OperationError } from "./errors.ts";
import { execIn } from "./exec.ts";

/** A Barman server, and the folder in its container that has its archived WAL. */
export interface WalArchive extends Barman {
  readonly walFolder: string;
}

/**
 * The first WAL file that is missing between the newest backup and the newest archived file: what comes after it cannot
 * be restored. Barman looks for the files that a backup itself needs, and for no others.
 */
export async function missingWal(docker: Docker, archive: WalArchive): Promise<string | undefined> {
  const [beginWal, files] = await Promise.all([latestBeginWal(docker, archive), archivedFiles(docker, archive)]);
  return beginWal === undefined ? undefined : firstMissing(files, beginWal);
}

/** The names of all archived files. Barman itself counts those of one timeline only. */
export async function archivedFiles(docker: Docker, { container, walFolder }: WalArchive): Promise<string[]> {
  const command = ["find", walFolder, "-type", "f", "-printf", "%f\n"];
  const { exitCode, stdout, stderr } = await execIn(docker, { container, user: "postgres", command });
  if (exitCode !== 0) throw new OperationError(`the archived WAL cannot be listed: ${barmanWords(stderr)}`);
  return stdout.split("\n");
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
