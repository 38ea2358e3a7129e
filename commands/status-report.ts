import Table from "cli-table3";
import pc from "picocolors";
import prettyBytes from "pretty-bytes";
import { duration, replayLag } from "../operations/wording.ts";
import type {
  BackupStatus,
  Condition,
  NodeStatus,
  Problem,
  StackStatus,
  TimelineStatus,
} from "../operations/status-schema.ts";
import { NO_LINES, PLAIN, withoutTrailingBlanks } from "./table.ts";

const HEAD = [
  ...["node", "role", "state", "timeline", "address", "streams from", "sync", "replay lag", "slot", "kept WAL", "TLS"],
  ...["version", "up"],
];

/** The table of the nodes, and below it what else there is to know, and what is wrong. */
export function statusReport(status: StackStatus): string {
  const { stack, condition, nodes, timelines, backup, problems } = status;
  const now = new Date(status.at);
  const table = new Table({ head: HEAD.map((title) => pc.bold(title)), chars: NO_LINES, style: PLAIN });
  table.push(...nodes.map((node) => row(node, now)));
  const facts = [...timelineLines(timelines), ...certificateLine(nodes), ...backupLine(backup)];
  return [
    withoutTrailingBlanks(table.toString()),
    ...(facts.length === 0 ? [] : ["", ...facts]),
    ...["", `${stack} is ${coloured(condition)}.`],
    ...problems.map((problem) => `  ${problemSentence(problem)}`),
  ].join("\n");
}

function row(node: NodeStatus, now: Date): string[] {
  const { endpoint, slot, startedAt } = node;
  const retainedBytes = slot?.retainedBytes ?? null;
  return [
    node.name,
    node.role ?? "",
    node.state,
    node.timeline?.toString() ?? "",
    endpoint === null ? "" : `${endpoint.host}:${endpoint.port}`,
    node.upstream ?? "",
    node.syncState ?? "",
    replayLag(node),
    slot === null ? "" : slot.active ? slot.name : `${slot.name} (unused)`,
    retainedBytes === null ? "" : prettyBytes(retainedBytes),
    node.tls === null ? "" : node.tls ? "yes" : "no",
    node.version ?? "",
    startedAt === null ? "" : duration((now.getTime() - Date.parse(startedAt)) / 1000),
  ];
}

const minutes = (moment: string): string => `${moment.slice(0, 10)} ${moment.slice(11, 16)} UTC`;

const SHOWN_TIMELINES = 5;

function timelineLines(timelines: readonly TimelineStatus[]): string[] {
  const older = timelines.length - SHOWN_TIMELINES;
  const lines = timelines.slice(-SHOWN_TIMELINES).map(timelineLine);
  return older > 0 ? [`Timelines before: ${older} (--json has them).`, ...lines] : lines;
}

function timelineLine({ timeline, forkLsn, reason, firstSeenOn, firstSeenAt }: TimelineStatus): string {
  return `Timeline ${timeline} since ${minutes(firstSeenAt)} at ${forkLsn}, first seen on ${firstSeenOn}: ${reason}.`;
}

/** The first that ends. */
function certificateLine(nodes: readonly NodeStatus[]): string[] {
  const [first] = nodes.flatMap(({ certificateEndsAt }) => certificateEndsAt ?? []).toSorted();
  return first === undefined ? [] : [`Certificates are good until ${first.slice(0, 10)}.`];
}

function backupLine(backup: BackupStatus | null): string[] {
  const newest = backup?.newest ?? null;
  if (backup === null || newest === null) return [];
  const { id, ageSeconds } = newest;
  const age = ageSeconds === null ? "" : `, ${duration(ageSeconds)} old`;
  return [`Newest backup: ${id}${age}; ${backup.restorable} can be restored.`, ...drillLine(backup)];
}

function drillLine({ lastDrill }: BackupStatus): string[] {
  if (lastDrill === null || lastDrill.failure !== null) return [];
  const { backup, ageSeconds, rtoSeconds, rpoSeconds } = lastDrill;
  const measured = [
    ...(rtoSeconds === null ? [] : [`back after ${rtoSeconds} s`]),
    ...(rpoSeconds === null ? [] : [`${rpoSeconds} s of transactions lost`]),
  ];
  return [`Last drill: ${duration(ageSeconds)} ago, ${[backup, ...measured].join(", ")}.`];
}

/** One sentence: what, why it matters, what to run. */
export function problemSentence({ node, what, why, run }: Problem): string {
  return `${node === null ? "" : `${node}: `}${what}; ${why}: ${run}.`;
}

function coloured(condition: Condition): string {
  switch (condition) {
    case "healthy":
      return pc.green(condition);
    case "degraded":
      return pc.yellow(condition);
    case "down":
      return pc.red(condition);
  }
}
