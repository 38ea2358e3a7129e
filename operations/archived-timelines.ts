import type { Backup } from "./barman.ts";
import { formatLsn, parseLsn } from "./lsn.ts";
import type { Lsn } from "./lsn.ts";
import type { TimelineSpan } from "./timeline-history.ts";

/** A timeline that a backup server has WAL of, or has heard of. */
export interface ArchivedTimeline {
  readonly timeline: number;
  /** In UTC, as momentInUtc writes it: since then its primary was the topology's; null: since before any other. */
  readonly began: string | null;
  /** The timelines that led to it, and it itself. */
  readonly history: readonly TimelineSpan[];
}

/** What config-templates/find-in-wal.sh says of timelines, the oldest first; none where none was ever left. */
export function parseTimelines(output: string): ArchivedTimeline[] {
  const lines = output.matchAll(/^timeline ([0-9A-F]{8}) began (\S+ \S+) after(( \d+:[0-9A-F]+\/[0-9A-F]+)+)$/gm);
  const told = new Map<number, ArchivedTimeline>();
  for (const [, name = "", began = "", before = ""] of lines) {
    const timeline = Number.parseInt(name, 16);
    const history = [...spansIn(before), { timeline, endLsn: null }];
    told.set(timeline, { timeline, began, history });
  }
  const all = [...firstOf(told), ...told.values()];
  return all.toSorted((a, b) => a.timeline - b.timeline);
}

const spansIn = (text: string): TimelineSpan[] =>
  [...text.matchAll(/(\d+):(\S+)/g)].map(([, timeline = "", lsn = ""]) => ({
    timeline: Number(timeline),
    endLsn: parseLsn(lsn),
  }));

/** The timeline that all others began from has no history file. */
function firstOf(told: ReadonlyMap<number, ArchivedTimeline>): ArchivedTimeline[] {
  const roots = new Set([...told.values()].flatMap(({ history }) => history[0]?.timeline ?? []));
  return [...roots]
    .filter((timeline) => !told.has(timeline))
    .map((timeline) => ({ timeline, began: null, history: [{ timeline, endLsn: null }] }));
}

/** The one whose primary was the topology's at a moment; undefined: no timeline was ever left. */
export const timelineAt = (timelines: readonly ArchivedTimeline[], moment: string): ArchivedTimeline | undefined =>
  timelines.findLast(({ began }) => began === null || began <= moment);

export const newestTimeline = (timelines: readonly ArchivedTimeline[]): ArchivedTimeline | undefined =>
  timelines.at(-1);

/** As find-in-wal.sh wants the timelines that it shall look through: the newest first, each with where it was left. */
export const searchLines = ({ history }: ArchivedTimeline): string[] =>
  history.toReversed().map(({ timeline, endLsn }) => {
    const name = timeline.toString(16).toUpperCase().padStart(8, "0");
    return `${name}:${endLsn === null ? "" : formatLsn(endLsn)}`;
  });

/** Whether a record of a timeline's WAL is one of the history of another, or of itself. */
export function leadsTo({ history }: ArchivedTimeline, timeline: number, lsn: Lsn): boolean {
  const span = history.find((candidate) => candidate.timeline === timeline);
  return span !== undefined && (span.endLsn === null || lsn < span.endLsn);
}

/** Whether a timeline can be reached from a backup. What is not known of a backup does not speak against it. */
export function isReachedFrom({ history }: ArchivedTimeline, { timeline, endLsn }: Backup): boolean {
  if (timeline === null || endLsn === null) return true;
  const span = history.find((candidate) => candidate.timeline === timeline);
  return span !== undefined && (span.endLsn === null || parseLsn(endLsn) <= span.endLsn);
}
