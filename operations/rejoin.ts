import { readWalEnd, runDataJob } from "./data-job.ts";
import type { DataVerb } from "./data-job.ts";
import { OperationError, messageOf } from "./errors.ts";
import type { Node } from "./node.ts";
import type { DownNode, NodeRole, StandbyRole } from "./observe-roles.ts";
import type { PgControl } from "./pg-control.ts";
import type { RoleAcknowledgement, RoleEnvironment } from "./role-environment.ts";
import { startServer } from "./server.ts";
import { runAsSuperuser } from "./superuser.ts";
import { divergence, historyFileName, isSameHistory, parseHistory, readHistory } from "./timeline-history.ts";
import type { TimelineSpan } from "./timeline-history.ts";
import type { Lsn } from "./lsn.ts";

/** How a node gets to follow the primary, the cheapest first. */
export type Rung = "follow" | "rewind" | "clone";

/** What a node that does not follow is to do, and why. */
export interface RejoinStep {
  readonly node: string;
  readonly rung: Rung;
  readonly reason: string;
  /** WAL of its own that goes: the primary does not have it. null: it has no data that could be read. */
  readonly discardedBytes: number | null;
}

export interface RejoinContext {
  readonly environment: RoleEnvironment;
  readonly acknowledgement: RoleAcknowledgement;
  readonly log: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** The way the primary's data came: which timelines it has been on. */
export async function primaryHistory(primary: Node, timeline: number): Promise<TimelineSpan[]> {
  if (timeline === 1) return parseHistory(1, "");
  const file = `pg_wal/${historyFileName(timeline)}`;
  // With an offset and a length, as a server before 16 wants it where the file may be missing.
  const text = await runAsSuperuser(primary, `SELECT pg_read_file('${file}', 0, 1000000, true);\n`);
  const history = readHistory(timeline, text);
  if (history !== null) return history;
  throw new OperationError(
    `expected ${primary.name} to know how its timeline came to be, but there is no ${file} in its data directory: who can follow it cannot be told. Put it back from another node.`,
  );
}

/** Of the nodes that have to follow: those that cannot as they are. A standby that answers and is not ahead can. */
export function cannotFollow(nodes: readonly NodeRole[], history: readonly TimelineSpan[]): NodeRole[] {
  return nodes.filter((node) => {
    switch (node.kind) {
      case "primary":
        return false;
      case "down":
        return (
          node.container !== "missing" && (node.fence !== "none" || !node.standbySignal || !isOnTheWay(node, history))
        );
      case "standby":
        return isDiverged(node, history);
    }
  });
}

/** What it has replayed counts: what it only received it may still leave at the fork. */
const isDiverged = (node: StandbyRole, history: readonly TimelineSpan[]): boolean =>
  node.history === null || divergence(node.history, node.replayedLsn, history).discardedBytes > 0;

/**
 * Whether what is there of a standby that is stopped is part of the primary's way, for certain. Of one that was not the
 * primary before, only its log tells where that ends; but on the primary's own timeline it received what that wrote.
 */
function isOnTheWay({ control, history: own }: DownNode, history: readonly TimelineSpan[]): boolean {
  if (control === undefined || own === null) return false;
  if (control.state === "shut down") return divergence(own, afterCheckpoint(control).lsn, history).discardedBytes === 0;
  return isSameHistory(own, history);
}

/** What it takes for a node whose server is stopped to follow. Nothing of its data is changed. */
export async function planRejoin(
  { environment, signal }: RejoinContext,
  node: Node,
  role: DownNode | StandbyRole,
  history: readonly TimelineSpan[],
): Promise<RejoinStep> {
  if (role.kind === "down" && role.fence === "unfinished") {
    return { node: node.name, rung: "clone", reason: "an earlier attempt was interrupted", discardedBytes: 0 };
  }
  if (role.kind === "down" && role.control === undefined) {
    return { node: node.name, rung: "clone", reason: "it has no data", discardedBytes: 0 };
  }
  const control = role.kind === "down" ? role.control : undefined;
  const end =
    control?.state === "shut down"
      ? { ...afterCheckpoint(control), history: role.history }
      : await logEnd(environment, node, signal);
  if (typeof end === "string") {
    return { node: node.name, rung: "clone", reason: `its data cannot be read: ${end}`, discardedBytes: null };
  }
  return chooseRung(node.name, end.history ?? parseHistory(end.timeline, ""), end.lsn, history);
}

/** Or why it cannot be told. */
async function logEnd(environment: RoleEnvironment, node: Node, signal: AbortSignal | undefined) {
  try {
    return (await readWalEnd(environment, node, signal)) ?? "no valid record follows its last checkpoint";
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return messageOf(error);
  }
}

const afterCheckpoint = (control: PgControl) => ({ timeline: control.timeline, lsn: control.checkpointLsn + 1n });

/** Pure: pg_rewind cannot tell two servers apart that were promoted to the same timeline each by itself. */
export function chooseRung(
  node: string,
  own: readonly TimelineSpan[],
  ownEnd: Lsn,
  primary: readonly TimelineSpan[],
): RejoinStep {
  const { discardedBytes } = divergence(own, ownEnd, primary);
  const ownTimeline = own.at(-1)?.timeline;
  const primaryTimeline = primary.at(-1)?.timeline;
  if (discardedBytes === 0) {
    return { node, rung: "follow", discardedBytes, reason: `the primary has all that it has` };
  }
  const reason = `it wrote ${discardedBytes} bytes on timeline ${ownTimeline} that the primary, on timeline ${primaryTimeline}, does not have`;
  return { node, rung: ownTimeline === primaryTimeline ? "clone" : "rewind", discardedBytes, reason };
}

/** Rows that only this node has go for good: that is said in the stack file, or was said when it was fenced. */
export function refusedRejoin(step: RejoinStep, fenced: boolean, { rejoin }: RoleAcknowledgement): string | undefined {
  if (step.discardedBytes === 0 || fenced || rejoin.includes(step.node)) return undefined;
  return `${step.node} cannot follow the primary as it is: ${step.reason}. Look whether they are wanted; \`acknowledge: { rejoin: [${step.node}] }\` in the stack file lets them go. It stays stopped until then.`;
}

/** Lets the node follow; where rewinding fails, by a new base backup. */
export async function rejoin(context: RejoinContext, primary: Node, node: Node, step: RejoinStep): Promise<Rung> {
  const { log } = context;
  // pg_rewind goes by the primary's last checkpoint, which may be from before its promotion.
  if (step.rung === "rewind") await runAsSuperuser(primary, "CHECKPOINT;\n");
  const done = await climb(context, node, step);
  log(`${node.name} follows the primary by ${describeRung(done)}: ${step.reason}`);
  await startServer(node);
  return done;
}

async function climb(context: RejoinContext, node: Node, { rung }: RejoinStep): Promise<Rung> {
  const { environment, log, signal } = context;
  const run = (verb: DataVerb): Promise<string> => runDataJob(environment, node.name, verb, signal);
  switch (rung) {
    case "follow":
      await run("follow");
      return "follow";
    case "rewind":
      try {
        await run("rewind");
        return "rewind";
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof OperationError)) throw error;
        log(`pg_rewind did not work for ${node.name}, so that it is cloned again: ${messageOf(error)}`);
        await run("clone");
        return "clone";
      }
    case "clone":
      await run("clone");
      return "clone";
  }
}

export function describeRung(rung: Rung): string {
  switch (rung) {
    case "follow":
      return "streaming";
    case "rewind":
      return "pg_rewind";
    case "clone":
      return "a new base backup";
  }
}
