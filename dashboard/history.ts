import { bytesBehind, parseLsn } from "../operations/lsn.ts";
import type { NodeStatus, Problem, StackStatus, TimelineStatus } from "../operations/status-schema.ts";

/** One look at the stack, as the charts have it. */
export interface Sample {
  /** Seconds since 1970. */
  readonly time: number;
  /** By the name of the standby. */
  readonly replayLagBytes: ReadonlyMap<string, number | null>;
  /** WAL of the primary since the look before; null: one of the two saw nobody who takes writes. */
  readonly writtenBytesPerSecond: number | null;
}

export interface StackEvent {
  /** ISO 8601. */
  readonly at: string;
  readonly kind: "promotion" | "start" | "backup" | "drill" | "primary" | "problem" | "over";
  readonly text: string;
}

/** What was seen of a stack since somebody began to look. */
export interface History {
  readonly samples: readonly Sample[];
  /** The newest first. */
  readonly events: readonly StackEvent[];
  /** What was seen last; null: nothing yet. */
  readonly last: StackStatus | null;
}

export const NO_HISTORY: History = { samples: [], events: [], last: null };

/** At one every two seconds an hour. */
const KEPT_SAMPLES = 1800;
const KEPT_EVENTS = 100;

export function withStatus(history: History, status: StackStatus): History {
  const { last } = history;
  const events = [...factsOf(status), ...(last === null ? [] : changesBetween(last, status)), ...history.events];
  return {
    samples: [...history.samples, sampleOf(last, status)].slice(-KEPT_SAMPLES),
    events: newestFirst(events).slice(0, KEPT_EVENTS),
    last: status,
  };
}

/** Nothing could be asked: the charts have a gap there. */
export function withoutStatus(history: History, at: Date): History {
  const sample = { time: at.getTime() / 1000, replayLagBytes: new Map(), writtenBytesPerSecond: null };
  return { ...history, samples: [...history.samples, sample].slice(-KEPT_SAMPLES) };
}

/** When somebody looked last, whether or not anybody answered. */
export const lastLookAt = ({ samples }: History): Date => new Date(Math.round((samples.at(-1)?.time ?? 0) * 1000));

function sampleOf(before: StackStatus | null, status: StackStatus): Sample {
  const standbys = status.nodes.filter((node) => node.role === "standby");
  return {
    time: Date.parse(status.at) / 1000,
    replayLagBytes: new Map(standbys.map(({ name, replayLagBytes }) => [name, replayLagBytes])),
    writtenBytesPerSecond: before === null ? null : writeRate(before, status),
  };
}

function writeRate(before: StackStatus, status: StackStatus): number | null {
  const [from, to] = [primaryOf(before)?.walLsn, primaryOf(status)?.walLsn];
  const seconds = (Date.parse(status.at) - Date.parse(before.at)) / 1000;
  if (typeof from !== "string" || typeof to !== "string" || seconds <= 0) return null;
  return bytesBehind(parseLsn(from), parseLsn(to)) / seconds;
}

/** Of several the one on the newest timeline. */
const primaryOf = ({ nodes }: StackStatus): NodeStatus | undefined =>
  nodes.filter(({ role }) => role === "primary").toSorted((a, b) => (b.timeline ?? 0) - (a.timeline ?? 0))[0];

/** What a stack itself remembers: it is there also where nobody was looking when it happened. */
function factsOf({ nodes, timelines, backup }: StackStatus): StackEvent[] {
  const ended = backup?.newest?.endedAt ?? null;
  return [
    ...timelines.map(promotionOf),
    ...nodes.flatMap(startOf),
    ...(ended === null ? [] : [{ at: ended, kind: "backup", text: `backup ${backup?.newest?.id} ended` } as const]),
    ...drillOf(backup?.lastDrill ?? null),
  ];
}

function drillOf(drill: NonNullable<StackStatus["backup"]>["lastDrill"]): StackEvent[] {
  if (drill === null) return [];
  const came = drill.failure === null ? `was restored in ${drill.rtoSeconds} s` : `failed: ${drill.failure}`;
  return [{ at: drill.at, kind: "drill", text: `drill: ${drill.backup} ${came}` }];
}

function promotionOf({ timeline, reason, firstSeenOn, firstSeenAt }: TimelineStatus): StackEvent {
  const text = reason === "promotion" ? `${firstSeenOn} was promoted` : `began on ${firstSeenOn}: ${reason}`;
  return { at: firstSeenAt, kind: "promotion", text: `timeline ${timeline}: ${text}` };
}

const startOf = ({ name, startedAt }: NodeStatus): StackEvent[] =>
  startedAt === null ? [] : [{ at: startedAt, kind: "start", text: `${name} was started` }];

function changesBetween(before: StackStatus, status: StackStatus): StackEvent[] {
  const { at } = status;
  const missingIn = (problems: readonly Problem[], problem: Problem): boolean =>
    !problems.some(({ kind, node }) => kind === problem.kind && node === problem.node);
  const begun = status.problems.filter((problem) => missingIn(before.problems, problem));
  const over = before.problems.filter((problem) => missingIn(status.problems, problem));
  return [
    ...primaryChange(primaryOf(before)?.name, primaryOf(status)?.name, at),
    ...begun.map((problem): StackEvent => ({ at, kind: "problem", text: shortly(problem) })),
    ...over.map((problem): StackEvent => ({ at, kind: "over", text: `over: ${shortly(problem)}` })),
  ];
}

function primaryChange(before: string | undefined, now: string | undefined, at: string): StackEvent[] {
  if (now === undefined || now === before) return [];
  const text = before === undefined ? `${now} takes writes` : `${now} takes writes, and no longer ${before}`;
  return [{ at, kind: "primary", text }];
}

const shortly = ({ node, what }: Problem): string => `${node === null ? "" : `${node}: `}${what}`;

/** Who was promoted is known for certain only once that node answers. */
const keyOf = ({ at, kind, text }: StackEvent): string =>
  kind === "promotion" ? text.slice(0, text.indexOf(":")) : `${at} ${text}`;

/** Each once: a fact is told again by every look, and of what is told of a timeline the first in the list counts. */
function newestFirst(events: readonly StackEvent[]): StackEvent[] {
  const once = new Map<string, StackEvent>();
  for (const event of events) once.set(keyOf(event), once.get(keyOf(event)) ?? event);
  return [...once.values()].toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at));
}
