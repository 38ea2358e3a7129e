import { bytesBehind, formatLsn, parseLsn } from "./lsn.ts";
import type { Lsn } from "./lsn.ts";
import type { ServerObservation } from "./observe.ts";
import type { DivergenceStatus, TimelineStatus } from "./status-schema.ts";
import { divergence, isSameHistory, parseHistory, timelineStart } from "./timeline-history.ts";
import type { TimelineSpan } from "./timeline-history.ts";

/** A file of pg_wal that says how a timeline came to be. */
export interface HistoryFile {
  readonly timeline: number;
  readonly text: string;
  /** By the server that is promoted at its promotion; by all others when they get a copy. */
  readonly writtenAt: Date;
}

/** A server that answers, and the timelines that it knows of. */
export interface ServerHistory {
  readonly name: string;
  readonly server: ServerObservation;
  readonly histories: readonly HistoryFile[];
}

/** What PostgreSQL writes where the end of a timeline was not a target of recovery. */
const PROMOTED = "no recovery target specified";

/** How each timeline came to be, oldest first. Two that have the same number and parted elsewhere are two. */
export function timelineStarts(servers: readonly ServerHistory[]): TimelineStatus[] {
  const copies = servers
    .flatMap(({ name, histories }) => histories.map((history) => ({ name, ...history })))
    .toSorted((a, b) => a.writtenAt.getTime() - b.writtenAt.getTime());
  const starts = new Map<string, TimelineStatus>();
  for (const { name, timeline, text, writtenAt } of copies) {
    const start = timelineStart(timeline, text);
    if (start === undefined) continue;
    const { parent, forkLsn, reason } = start;
    const key = [timeline, parent, forkLsn].join(" ");
    if (starts.has(key)) continue;
    starts.set(key, {
      timeline,
      parent,
      forkLsn: formatLsn(forkLsn),
      reason: reason === PROMOTED ? "promotion" : reason,
      firstSeenOn: name,
      firstSeenAt: writtenAt.toISOString(),
    });
  }
  return [...starts.values()].toSorted((a, b) => a.timeline - b.timeline);
}

/** Each server that has written or received what the primary has not, beside the primary that it has parted from. */
export function divergences(primary: ServerHistory, others: readonly ServerHistory[]): DivergenceStatus[] {
  return others.flatMap((other) => {
    const parted = partedFrom(primary, other);
    return parted === undefined ? [] : [parted];
  });
}

function partedFrom(primary: ServerHistory, other: ServerHistory): DivergenceStatus | undefined {
  const bothWrite = primary.server.role === "primary" && other.server.role === "primary";
  const [ours, theirs] = [spansOf(primary), spansOf(other)];
  const nodes = (forkLsn: Lsn | null): DivergenceStatus["nodes"] =>
    [primary, other].map(({ name, server }) => ({
      name,
      timeline: server.timeline,
      ownBytes: forkLsn === null ? null : bytesBehind(forkLsn, endOf(server)),
    }));
  const unknown = ours === undefined || theirs === undefined;
  // Two that write on one timeline have parted without leaving a trace of where.
  if (unknown || (bothWrite && primary.server.timeline === other.server.timeline && isSameHistory(ours, theirs))) {
    return bothWrite ? { forkLsn: null, nodes: nodes(null) } : undefined;
  }
  const { forkLsn, discardedBytes } = divergence(theirs, endOf(other.server), ours);
  if (discardedBytes === 0 && !bothWrite) return undefined;
  return { forkLsn: formatLsn(forkLsn), nodes: nodes(forkLsn) };
}

/** Of a standby what it has replayed counts: what it only received it may still leave at the fork. */
const endOf = ({ role, walLsn, replayLsn }: ServerObservation): Lsn =>
  parseLsn(role === "primary" ? walLsn : replayLsn);

/** undefined: the server has no history of the timeline that it is on. */
function spansOf({ server, histories }: ServerHistory): TimelineSpan[] | undefined {
  if (server.timeline === 1) return [{ timeline: 1, endLsn: null }];
  const own = histories.find(({ timeline }) => timeline === server.timeline);
  return own === undefined ? undefined : parseHistory(own.timeline, own.text);
}
