import { bytesBehind, parseLsn } from "./lsn.ts";
import type { Lsn } from "./lsn.ts";

/** One timeline that a server has been on, and where it left it (PostgreSQL, "Timelines"). */
export interface TimelineSpan {
  readonly timeline: number;
  /** null: it is still on it. */
  readonly endLsn: Lsn | null;
}

/** The name of the file that says how a timeline came to be. */
export const historyFileName = (timeline: number): string =>
  `${timeline.toString(16).toUpperCase().padStart(8, "0")}.history`;

/** From the text of a history file: its parents first, the timeline itself last. */
export function parseHistory(timeline: number, text: string): TimelineSpan[] {
  const parents = [...text.matchAll(/^\s*(\d+)\s+([0-9A-F]+\/[0-9A-F]+)/gim)].map(([, parent = "", lsn = ""]) => ({
    timeline: Number(parent),
    endLsn: parseLsn(lsn),
  }));
  return [...parents, { timeline, endLsn: null }];
}

/** How a timeline came to be, as the last line of its history file says. */
export interface TimelineStart {
  readonly timeline: number;
  readonly parent: number;
  /** Where it parted from its parent. */
  readonly forkLsn: Lsn;
  /** In the server's words: "no recovery target specified" is a promotion, else it is the target of a recovery. */
  readonly reason: string;
}

/** undefined: the text is no history. */
export function timelineStart(timeline: number, text: string): TimelineStart | undefined {
  const lines = [...text.matchAll(/^\s*(\d+)\s+([0-9A-F]+\/[0-9A-F]+)[ \t]*(.*)$/gim)];
  const [, parent, lsn, reason = ""] = lines.at(-1) ?? [];
  if (parent === undefined || lsn === undefined) return undefined;
  return { timeline, parent: Number(parent), forkLsn: parseLsn(lsn), reason: reason.trim() };
}

/** Where two servers of one cluster went different ways, seen from the one that is to follow. */
export interface Divergence {
  readonly forkLsn: Lsn;
  /** What it wrote after that point, and the other does not have. 0: it can follow. */
  readonly discardedBytes: number;
}

/** `own` ends where its write-ahead log does; `primary` goes on. Both begin on timeline 1 or on the same later one. */
export function divergence(own: readonly TimelineSpan[], ownEnd: Lsn, primary: readonly TimelineSpan[]): Divergence {
  let forkLsn: Lsn = 0n;
  for (const [index, span] of own.entries()) {
    const other = primary[index];
    if (other === undefined || other.timeline !== span.timeline) break;
    const end = span.endLsn ?? ownEnd;
    const otherEnd = other.endLsn ?? end;
    forkLsn = end < otherEnd ? end : otherEnd;
    if (end !== otherEnd) break;
  }
  return { forkLsn, discardedBytes: bytesBehind(forkLsn, ownEnd) };
}
