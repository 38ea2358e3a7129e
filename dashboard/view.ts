import prettyBytes from "pretty-bytes";
import type { ImpactLevel } from "../operations/impact.ts";
import type { NodeStatus, Problem, StackStatus } from "../operations/status-schema.ts";
import { duration, replayLag } from "../operations/wording.ts";
import { graphOf } from "./graph.ts";
import type { History, Sample } from "./history.ts";
import type { Chart, PageView } from "./page-view.ts";
import { renderSection } from "./render.ts";

/** What `npm run --silent preview -- --json-impact` says of a change, as much of it as is shown. */
export interface PendingChange {
  readonly impact: ImpactLevel;
  readonly findings: readonly { readonly level: ImpactLevel; readonly message: string }[];
}

/** What a page shows at one moment. */
export interface Shown {
  readonly project: string;
  readonly stack: string;
  /** When it was looked at. */
  readonly at: Date;
  readonly history: History;
  /** Why the stack could not be asked just now; null: it was. */
  readonly failure: string | null;
  /** Of a preview that was made elsewhere; null: none was given. */
  readonly impact: PendingChange | null;
}

/** The sections of a page as HTML, and what its charts draw. Pure. */
export function pageView(shown: Shown): PageView {
  const { stack, at, history, failure, impact } = shown;
  const status = history.last;
  const condition = failure === null ? (status?.condition ?? "unknown") : "unknown";
  const nodes = status?.nodes ?? [];
  return {
    title: `${condition} · ${stack}`,
    sections: {
      summary: renderSection("summary", { ...shown, at: momentOf(at.toISOString()), condition }),
      problems: renderSection("problems", { failure, problems: problemsOf(status), none: condition === "healthy" }),
      topology: renderSection("topology", { graph: status === null ? null : graphOf(status) }),
      impact: renderSection("impact", { impact }),
      nodes: renderSection("nodes", { nodes: nodes.map((node) => rowOf(node, at)) }),
      events: renderSection("events", {
        events: history.events.map((event) => ({ ...event, at: momentOf(event.at) })),
      }),
    },
    charts: chartsOf(history.samples),
  };
}

/** A moment for machines, and the same for people. */
const momentOf = (iso: string): { iso: string; text: string } => ({
  iso,
  text: `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`,
});

interface ShownProblem {
  readonly node: string | null;
  readonly what: string;
  readonly why: string;
  /** In the order of the sentence; what is between backquotes is code. */
  readonly run: readonly { readonly code: boolean; readonly text: string }[];
}

const problemsOf = (status: StackStatus | null): ShownProblem[] =>
  (status?.problems ?? []).map(({ node, what, why, run }: Problem) => ({
    node,
    what,
    why,
    run: run.split("`").map((text, index) => ({ code: index % 2 === 1, text })),
  }));

function rowOf(node: NodeStatus, at: Date): Record<string, string> {
  const { name, role, state, timeline, endpoint, upstream, syncState, slot, tls, version, startedAt } = node;
  const retainedBytes = slot?.retainedBytes ?? null;
  return {
    name,
    role: role ?? "unknown",
    state,
    timeline: timeline?.toString() ?? "",
    address: endpoint === null ? "" : `${endpoint.host}:${endpoint.port}`,
    upstream: upstream ?? "",
    sync: syncState ?? "",
    lag: replayLag(node),
    slot: slot === null ? "" : slot.active ? slot.name : `${slot.name} (unused)`,
    kept: retainedBytes === null ? "" : prettyBytes(retainedBytes),
    tls: tls === null ? "" : tls ? "yes" : "no",
    version: version ?? "",
    up: startedAt === null ? "" : duration((at.getTime() - Date.parse(startedAt)) / 1000),
  };
}

function chartsOf(samples: readonly Sample[]): Chart[] {
  const times = samples.map(({ time }) => time);
  const names = [...new Set(samples.flatMap(({ replayLagBytes }) => [...replayLagBytes.keys()]))].toSorted();
  const lag = names.map((name) => ({
    name,
    values: samples.map(({ replayLagBytes }) => replayLagBytes.get(name) ?? null),
  }));
  const written = samples.map(({ writtenBytesPerSecond }) => writtenBytesPerSecond);
  return [
    { id: "lag-chart", unit: "bytes", times, series: lag },
    { id: "write-chart", unit: "bytes per second", times, series: [{ name: "WAL written", values: written }] },
  ];
}
