import { basename } from "node:path";
import type Docker from "dockerode";
import { newestBackupSpan } from "./barman.ts";
import type { Barman, BackupSpan } from "./barman.ts";
import { noAnswer } from "./errors.ts";
import { execIn } from "./exec.ts";
import { formatLsn, parseLsn } from "./lsn.ts";
import type { Lsn } from "./lsn.ts";
import type { Node } from "./node.ts";
import { primaryHistory } from "./rejoin.ts";
import { runOnWritableNode } from "./superuser.ts";
import type { TimelineSpan } from "./timeline-history.ts";

/**
 * The newest backup, where the primary's data did not come that way: it was taken before all went back to an earlier
 * moment, and nothing that was written since can be reached from it. undefined: it is on the way, or nobody answers.
 */
export async function astrayBackup(
  docker: Docker,
  server: Barman,
  nodes: readonly Node[],
): Promise<BackupSpan | undefined> {
  const [newest, history] = await Promise.all([newestBackupSpan(docker, server), historyOf(nodes)]);
  if (newest === undefined || history === undefined) return undefined;
  return isOnTheWay(newest, history) ? undefined : newest;
}

/** The newest WAL file that a backup server has received, where its receiver cannot go on from there. */
export interface StuckAt {
  readonly path: string;
  /** A file that is not of full size holds nothing: there was no room for it. */
  readonly isOfFullSize: boolean;
  /** The primary has no longer the WAL that comes next; otherwise it went back behind the file. */
  readonly isGone: boolean;
}

/** undefined: the primary has what comes next, or nothing was received, or nobody answers. */
export async function receiverStuckAt(
  docker: Docker,
  { container, streamingFolder }: Barman & { readonly streamingFolder: string },
  nodes: readonly Node[],
): Promise<StuckAt | undefined> {
  const command = ["find", streamingFolder, "-type", "f", "-printf", "%p %s\n"];
  const [{ stdout }, history, oldest] = await Promise.all([
    execIn(docker, { container, user: "postgres", command }),
    historyOf(nodes),
    oldestWalOf(nodes),
  ]);
  const files = [...stdout.matchAll(/^(.*\/[0-9A-F]{24}(?:\.partial)?) (\d+)$/gm)];
  const [, path, bytes] = files.toSorted(([a], [b]) => (a < b ? -1 : 1)).at(-1) ?? [];
  if (path === undefined || history === undefined || oldest === undefined) return undefined;
  const next = continuation(basename(path));
  const file = { path, isOfFullSize: bytes === `${SEGMENT_BYTES}` };
  if (!isOnTheWay(next, history)) return { ...file, isGone: false };
  return parseLsn(next.endLsn) < oldest ? { ...file, isGone: true } : undefined;
}

const TIMELINE = "SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int;\n";

/** undefined: no node takes writes. */
async function historyOf(nodes: readonly Node[]): Promise<TimelineSpan[] | undefined> {
  const primary = await runOnWritableNode(nodes, TIMELINE).catch(noAnswer);
  return primary && primaryHistory(primary.node, Number(primary.output));
}

const OLDEST_WAL = "SELECT min(substr(name, 9)) FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$';\n";

/** Where the WAL that the primary still has begins; undefined: no node takes writes. */
async function oldestWalOf(nodes: readonly Node[]): Promise<Lsn | undefined> {
  const primary = await runOnWritableNode(nodes, OLDEST_WAL).catch(noAnswer);
  return primary && segmentBegin(primary.output);
}

const SEGMENT_BYTES = 0x1000000n;

/**
 * Where a receiver goes on from a file: from its begin, where it is not full yet, and else behind it. Segments have
 * 16 MB unless initdb was told otherwise.
 */
function continuation(file: string): { readonly timeline: number; readonly endLsn: string } {
  const begin = segmentBegin(file.slice(8, 24));
  const next = file.endsWith(".partial") ? begin : begin + SEGMENT_BYTES;
  return { timeline: Number.parseInt(file.slice(0, 8), 16), endLsn: formatLsn(next) };
}

/** @param number of a segment, both halves of it. */
function segmentBegin(number: string): Lsn {
  const half = (begin: number): bigint => BigInt(`0x${number.slice(begin, begin + 8)}`);
  return (half(0) << 32n) + half(8) * SEGMENT_BYTES;
}

/** Whether something ended on a timeline that the primary has been on, before it was left. Pure. */
export function isOnTheWay({ timeline, endLsn }: Omit<BackupSpan, "id">, history: readonly TimelineSpan[]): boolean {
  const span = history.find((candidate) => candidate.timeline === timeline);
  return span !== undefined && (span.endLsn === null || parseLsn(endLsn) <= span.endLsn);
}
