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

/** The same of a file that may not be there, or not be one; null: then nobody knows. The first timeline has none. */
export function readHistory(timeline: number, text: string | null | undefined): TimelineSpan[] | null {
  const spans = parseHistory(timeline, text ?? "");
  return timeline === 1 || spans.length > 1 ? spans : null;
}

/** Two timelines of one number that began elsewhere are two. */
export const isSameHistory = (a: readonly TimelineSpan[], b: readonly TimelineSpan[]): boolean =>
  a.length === b.length &&
  a.every(({ timeline, endLsn }, index) => timeline === b[index]?.timeline && endLsn === b[index].endLsn);

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
  const forkLsn = commonEnd({ history: own, lsn: ownEnd }, { history: primary, lsn: null });
  return { forkLsn, discardedBytes: bytesBehind(forkLsn, ownEnd) };
}

/** How far a write-ahead log goes, and on which timelines it got there. Only with both can two be compared. */
export interface LogPosition {
  readonly history: readonly TimelineSpan[];
  readonly lsn: Lsn;
}

/** Of `log`, what is not part of `other`: all that comes after the point up to which they are the same. */
export const missingBytes = (log: LogPosition, other: LogPosition): number =>
  bytesBehind(commonEnd(log, other), log.lsn);

/** Up to where two logs are the same. Where no position is given the other goes on without an end. */
export function commonEnd(log: LogPosition, other: Omit<LogPosition, "lsn"> & { readonly lsn: Lsn | null }): Lsn {
  let common: Lsn = 0n;
  for (const [index, span] of log.history.entries()) {
    const otherSpan = other.history[index];
    if (otherSpan === undefined || otherSpan.timeline !== span.timeline) break;
    const end = earlier(span.endLsn, log.lsn) ?? log.lsn;
    const otherEnd = earlier(otherSpan.endLsn, other.lsn) ?? end;
    common = end < otherEnd ? end : otherEnd;
    if (end !== otherEnd) break;
  }
  return common;
}

const earlier = (a: Lsn | null, b: Lsn | null): Lsn | null => (a === null || (b !== null && b < a) ? b : a);
