import { basename } from "node:path";
import type Docker from "dockerode";
import { newestBackupSpan } from "./barman.ts";
import type { Barman, BackupSpan } from "./barman.ts";
import { noAnswer } from "./errors.ts";
import { execIn } from "./exec.ts";
import { formatLsn, parseLsn } from "./lsn.ts";
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

/**
 * The path of the newest WAL file that a backup server has received, where the primary's data did not come that way.
 * undefined: it did, or there is none, or nobody answers.
 */
export async function astrayReceived(
  docker: Docker,
  { container, streamingFolder }: Barman & { readonly streamingFolder: string },
  nodes: readonly Node[],
): Promise<string | undefined> {
  const command = ["find", streamingFolder, "-type", "f"];
  const [{ stdout }, history] = await Promise.all([
    execIn(docker, { container, user: "postgres", command }),
    historyOf(nodes),
  ]);
  const files = stdout.split("\n").filter((path) => /\/[0-9A-F]{24}(?:\.partial)?$/.test(path));
  const newest = files.toSorted().at(-1);
  if (newest === undefined || history === undefined) return undefined;
  return isOnTheWay(continuation(basename(newest)), history) ? undefined : newest;
}

const TIMELINE = "SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int;\n";

/** undefined: no node takes writes. */
async function historyOf(nodes: readonly Node[]): Promise<TimelineSpan[] | undefined> {
  const primary = await runOnWritableNode(nodes, TIMELINE).catch(noAnswer);
  return primary && primaryHistory(primary.node, Number(primary.output));
}

const SEGMENT_BYTES = 0x1000000n;

/**
 * Where a receiver goes on from a file: from its begin, where it is not full yet, and else behind it. Segments have
 * 16 MB unless initdb was told otherwise.
 */
function continuation(file: string): { readonly timeline: number; readonly endLsn: string } {
  const part = (index: number): number => Number.parseInt(file.slice(8 * index, 8 * index + 8), 16);
  const begin = (BigInt(part(1)) << 32n) + BigInt(part(2)) * SEGMENT_BYTES;
  const next = file.endsWith(".partial") ? begin : begin + SEGMENT_BYTES;
  return { timeline: part(0), endLsn: formatLsn(next) };
}

/** Whether something ended on a timeline that the primary has been on, before it was left. Pure. */
export function isOnTheWay({ timeline, endLsn }: Omit<BackupSpan, "id">, history: readonly TimelineSpan[]): boolean {
  const span = history.find((candidate) => candidate.timeline === timeline);
  return span !== undefined && (span.endLsn === null || parseLsn(endLsn) <= span.endLsn);
}
