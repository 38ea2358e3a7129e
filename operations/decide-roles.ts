import { bytesBehind, formatLsn } from "./lsn.ts";
import type { DownNode, NodeRole, PrimaryRole, StandbyRole } from "./observe-roles.ts";
import { positionOf } from "./observe-roles.ts";
import type { PgControl } from "./pg-control.ts";
import { divergence, missingBytes } from "./timeline-history.ts";
import type { TimelineSpan } from "./timeline-history.ts";

/** What has to happen so that the wanted node is the only primary. */
export type RoleDecision =
  | { readonly kind: "none" }
  /** A node that is down has to be started before more can be said: starting it makes nobody a second primary. */
  | { readonly kind: "start"; readonly nodes: readonly string[] }
  /** A failover was interrupted before anybody was promoted, and is taken back. */
  | { readonly kind: "unfence"; readonly node: string }
  /** Both answer: the old primary is stopped cleanly before the other is promoted. */
  | { readonly kind: "switchover"; readonly from: PrimaryRole; readonly to: StandbyRole }
  /**
   * Nobody takes writes, and the node has every row: an interrupted switchover that is continued, or an old primary
   * that was stopped cleanly. `from` is the node that was the primary, where one is seen.
   */
  | { readonly kind: "promote"; readonly from: DownNode | undefined; readonly to: StandbyRole }
  /** The primary is dead: rows that it never sent are lost. */
  | { readonly kind: "failover"; readonly from: DownNode; readonly to: StandbyRole }
  | { readonly kind: "refused"; readonly reason: string };

/** More than that is not waited for while nobody can write: it would take seconds to replay. */
export const MAXIMUM_LAG_BYTES = 64 * 1024 * 1024;

/** What is known of nodes that do not start. */
export interface StartTrials {
  /** Nodes whose own rows the stack file gives up: where nothing else helps, an update goes on without them. */
  readonly dispensable: readonly string[];
  /** Of those that may be gone on without: they were started, and did not come up. */
  readonly failed: readonly string[];
}

const UNTRIED: StartTrials = { dispensable: [], failed: [] };

/**
 * Decides from what the nodes say of themselves, whatever the stack file used to say. Pure: the same observations give
 * the same decision.
 * @param wanted the primary of the stack file.
 * @param asked whether the stack file has changed: a node that was promoted by hand is never demoted in passing.
 */
export function decideRoles(
  wanted: string,
  asked: boolean,
  nodes: readonly NodeRole[],
  trials: StartTrials = UNTRIED,
): RoleDecision {
  const target = nodes.find((node) => node.name === wanted);
  if (target === undefined) throw new Error(`${wanted} is not among the nodes`);
  const primaries = nodes.filter((node) => node.kind === "primary");
  const [primary, ...more] = primaries;
  if (more.length > 0) return refused(twoPrimaries(primaries));
  if (primary?.name === wanted) return { kind: "none" };
  if (primary !== undefined) return asked ? towards(primary, target) : refused(promotedByHand(primary, wanted));
  return withoutPrimary(target, nodes, trials);
}

const refused = (reason: string): RoleDecision => ({ kind: "refused", reason });

function twoPrimaries(primaries: readonly PrimaryRole[]): string {
  const each = primaries.map((node) => `${node.name} on timeline ${node.timeline} at ${formatLsn(node.writtenLsn)}`);
  return `more than one node takes writes: ${each.join(", ")}. Compare their rows, and stop the node whose rows are not wanted (docker stop): the next update lets it rejoin as a standby.`;
}

const promotedByHand = (primary: PrimaryRole, wanted: string): string =>
  `expected ${wanted} to be the primary, but ${primary.name} is a primary on timeline ${primary.timeline}. Set \`primary: ${primary.name}\` in the stack file to keep what is there; to make ${wanted} the primary, do that first and change it in an update of its own.`;

function towards(from: PrimaryRole, target: NodeRole): RoleDecision {
  const keep = `Set \`primary: ${from.name}\` to keep what is there.`;
  if (target.kind !== "standby") {
    return refused(`${target.name} cannot become the primary: its server does not answer. ${keep}`);
  }
  const unfit = whyUnfit(from, target);
  if (unfit !== undefined) return refused(`${target.name} cannot become the primary: ${unfit} ${keep}`);
  return { kind: "switchover", from, to: target };
}

function whyUnfit(from: PrimaryRole, target: StandbyRole): string | undefined {
  if (target.systemIdentifier !== from.systemIdentifier) return "its data is of another cluster.";
  if (target.timeline !== from.timeline) {
    return `it is on timeline ${target.timeline}, and ${from.name} on timeline ${from.timeline}. An update with \`primary: ${from.name}\` lets it rejoin first.`;
  }
  if (target.applyDelayMilliseconds > 0) {
    return "it applies changes late. Take applyDelay from it in an update of its own first, and wait until it has caught up.";
  }
  if (!target.streaming) return "it does not stream.";
  const lagBytes = bytesBehind(target.replayedLsn, from.writtenLsn);
  if (lagBytes > MAXIMUM_LAG_BYTES) {
    return `it is ${lagBytes} bytes behind, and nobody could write until it has caught up. Wait until it is less than ${MAXIMUM_LAG_BYTES} bytes.`;
  }
  return undefined;
}

function withoutPrimary(target: NodeRole, nodes: readonly NodeRole[], trials: StartTrials): RoleDecision {
  const startable = nodes
    .filter((node) => node.kind === "down" && isStoppedStandby(node) && !trials.failed.includes(node.name))
    .map((node) => node.name);
  if (startable.length > 0) return { kind: "start", nodes: startable };
  if (target.kind === "down") return whereTargetIsDown(target, nodes, trials);
  if (target.kind === "primary") return { kind: "none" };
  if (target.stillReplays) return refused(`${target.name} cannot become the primary yet: ${replaysStill(target)}`);
  const old = oldPrimaryAmong(nodes);
  if (old?.isHeard === true) return refused(heard(old));
  if (old === undefined) return amongStandbys(target, nodes, trials);
  if (old.control !== undefined && old.control.systemIdentifier !== target.systemIdentifier) {
    return refused(
      `${target.name} cannot become the primary: its data is of another cluster than that of ${old.name}.`,
    );
  }
  if (old.control?.state !== "shut down") return { kind: "failover", from: old, to: target };
  const decision = afterCleanStop(old, old.control, target, trials);
  // One that nobody can look at may have been the primary after it: the stack file has to say that it is left at that.
  const isAlone = !nodes.some((node) => node !== old && node.kind === "down" && node.container === "unreachable");
  return decision.kind !== "promote" || isAlone ? decision : { kind: "failover", from: old, to: target };
}

/** Nothing was written behind the checkpoint of a clean stop: what comes to it was sent, or still can be. */
function afterCleanStop(old: DownNode, control: PgControl, target: StandbyRole, { failed }: StartTrials): RoleDecision {
  // A position past the beginning of the record is one past its end: records are replayed whole.
  const end = old.history && { history: old.history, lsn: control.checkpointLsn + 1n };
  const received = positionOf(target);
  if (end === null || received === null) return { kind: "failover", from: old, to: target };
  const isReplayed = target.replayedLsn > control.checkpointLsn;
  if (missingBytes(end, received) === 0 && isReplayed) return { kind: "promote", from: old, to: target };
  const hasParted = divergence(received.history, received.lsn, end.history).discardedBytes > 0;
  return hasParted || !isStartable(old) || failed.includes(old.name)
    ? { kind: "failover", from: old, to: target }
    : { kind: "start", nodes: [old.name] };
}

function isStartable({ container }: DownNode): boolean {
  switch (container) {
    case "stopped":
    case "paused":
    case "running":
      return true;
    case "held":
    case "missing":
    case "unreachable":
      return false;
  }
}

const heard = ({ name, why }: DownNode): string =>
  `the server of ${name} answers, but nobody can see what it is or stop it: ${why}. Mend the way to its engine, or stop the server there, first.`;

/** Stopped as a whole, as after a reboot of the host: nothing has to change hands. */
function whereTargetIsDown(target: DownNode, nodes: readonly NodeRole[], { dispensable }: StartTrials): RoleDecision {
  if (target.container === "missing") {
    return refused(
      `${target.name} has no container: run \`pulumi up --refresh\`, which makes a new one around its data.`,
    );
  }
  if (target.container === "unreachable") {
    return refused(`${target.name} cannot become the primary: ${target.why}.`);
  }
  if (target.fence === "fenced") {
    const reason = whyReplaced(target, nodes);
    return reason === undefined
      ? { kind: "unfence", node: target.name }
      : refused(`${target.name} was fenced so that another node could take its place, and ${reason}`);
  }
  if (target.container === "held" || target.fence !== "none") {
    return refused(
      `${target.name} cannot become the primary: ${target.why}. Name the node that was made primary in its place.`,
    );
  }
  const newer = nodes.find((node) => !dispensable.includes(node.name) && isNewer(node, target));
  return newer === undefined ? { kind: "start", nodes: [target.name] } : refused(leftBehind(target, newer));
}

/** Whether another node has been on a timeline of the same cluster that the target never was on. */
const isNewer = (node: NodeRole, target: DownNode): boolean =>
  !(node.kind === "down" && node.fence === "unfinished") &&
  target.newestTimeline !== null &&
  systemOf(node) === systemOf(target) &&
  (newestTimelineOf(node) ?? 0) > target.newestTimeline;

const systemOf = (node: NodeRole): string | undefined =>
  node.kind === "down" ? node.control?.systemIdentifier : node.systemIdentifier;

const newestTimelineOf = (node: NodeRole): number | null =>
  node.kind === "down" ? node.newestTimeline : node.timeline;

const leftBehind = (target: DownNode, newer: NodeRole): string =>
  `${target.name} was the primary up to timeline ${target.newestTimeline}, and ${newer.name} is on timeline ${newestTimelineOf(newer)}: there has been another primary since, and ${target.name} would take writes without its rows. Set \`primary: ${newer.name}\` to keep them; where they are not wanted, write \`acknowledge: { rejoin: [${newer.name}] }\` into the stack file.`;

/** undefined: nobody was promoted in its place, for certain. All others are asked, and follow its own way. */
function whyReplaced(target: DownNode, nodes: readonly NodeRole[]): string | undefined {
  const name = "Name the node that was made primary in its place, or shall be: that update goes on from there.";
  const { control, history } = target;
  if (control === undefined || history === null || target.standbySignal) {
    return `its data does not say that it can take it back. ${name}`;
  }
  const others = nodes.filter((node) => node.name !== target.name);
  const silent = others.filter((node) => node.kind !== "standby").map((node) => node.name);
  if (silent.length > 0)
    return `whether one did cannot be told while ${silent.join(", ")} cannot be asked. Start them first; or: ${name}`;
  const gone = others.filter((node) => node.kind !== "standby" || !follows(node, control, history));
  const [first] = gone;
  return first && `${first.name} does not follow its timeline ${control.timeline} any more. ${name}`;
}

const follows = (node: StandbyRole, { systemIdentifier }: PgControl, history: readonly TimelineSpan[]): boolean =>
  node.systemIdentifier === systemIdentifier &&
  node.history !== null &&
  history.some(({ timeline }) => timeline === node.timeline) &&
  divergence(node.history, node.receivedLsn, history).discardedBytes === 0;

/** One that only has to be started: with standby.signal it is no primary, whatever happens. */
export const isStoppedStandby = (node: DownNode): boolean =>
  node.container === "stopped" && node.standbySignal && node.fence === "none" && node.control !== undefined;

/**
 * Of nodes that are down: the one that would start as a primary, and the newest of them. A fenced one has been replaced
 * already; one without data never was a primary.
 */
function oldPrimaryAmong(nodes: readonly NodeRole[]): DownNode | undefined {
  const candidates = nodes.filter(
    (node) =>
      node.kind === "down" &&
      !node.standbySignal &&
      node.fence === "none" &&
      (node.control !== undefined || node.container === "missing" || node.container === "unreachable"),
  ) as DownNode[];
  return candidates.toSorted((a, b) => newestFirst(a, b) || Number(b.isHeard) - Number(a.isHeard))[0];
}

/** One that died before its first checkpoint as a primary has an older one than whom it took the place of. */
function newestFirst(a: DownNode, b: DownNode): number {
  const timelines = (b.newestTimeline ?? 0) - (a.newestTimeline ?? 0);
  return timelines === 0 ? Number((b.control?.checkpointLsn ?? 0n) - (a.control?.checkpointLsn ?? 0n)) : timelines;
}

const replaysStill = ({ name }: StandbyRole): string =>
  `${name} was restarted, and still replays what it had received before: how much that is cannot be told yet. Run the update again in a moment.`;

/** An interrupted switchover: all are standbys, and the one with the most WAL has every row. */
function amongStandbys(
  target: StandbyRole,
  nodes: readonly NodeRole[],
  { dispensable, failed }: StartTrials,
): RoleDecision {
  for (const node of nodes) {
    if (node.kind !== "standby" || node === target || (node.stillReplays && dispensable.includes(node.name))) continue;
    const ahead = whyAhead(node, target);
    if (ahead !== undefined) return refused(`${target.name} cannot become the primary: nobody is, and ${ahead}`);
  }
  const silent = nodes.filter(
    (node) => node.kind === "down" && node.fence === "none" && !failed.includes(node.name),
  ) as DownNode[];
  const untried = silent.filter((node) => dispensable.includes(node.name) && isStartable(node));
  if (untried.length > 0) return { kind: "start", nodes: untried.map(({ name }) => name) };
  if (silent.length > 0) return refused(cannotBeTold(silent));
  // One that does not start may be the primary before, held as a standby: what its log has and nobody else is a loss.
  const down = nodes.filter((node) => node.kind === "down" && node.fence === "none") as DownNode[];
  const [broken] = down.toSorted(newestFirst);
  if (broken !== undefined) return { kind: "failover", from: broken, to: target };
  return { kind: "promote", from: undefined, to: target };
}

function cannotBeTold(silent: readonly DownNode[]): string {
  const seen = silent.map(({ name, why }) => `${name} (${why})`).join(", ");
  const names = silent.map(({ name }) => name).join(", ");
  const start = silent.some(({ container }) => container === "missing")
    ? "Run `pulumi up --refresh`, which makes missing containers anew, or start them"
    : "Start them";
  return `nobody is the primary, and what these nodes have cannot be told: ${seen}. ${start} first; or, where one does not start and what it alone has is not wanted, write \`acknowledge: { rejoin: [${names}] }\` into the stack file, which goes on without it.`;
}

/** Where two have parted, the newer timeline is the one that the last primary was on. */
function whyAhead(node: StandbyRole, target: StandbyRole): string | undefined {
  if (node.stillReplays)
    return `${replaysStill(node)} If what it alone has is not wanted, write \`acknowledge: { rejoin: [${node.name}] }\` into the stack file.`;
  const [own, others] = [positionOf(target), positionOf(node)];
  if (own === null || others === null) {
    const blind = own === null ? target : node;
    return `it cannot be told whether ${node.name} has rows that ${target.name} has not: ${blind.name} has no history of its timeline ${blind.timeline}. Set \`primary\` to the one whose rows are wanted, and remove the other from \`nodes\`.`;
  }
  if (missingBytes(others, own) === 0) return undefined;
  if (missingBytes(own, others) === 0) {
    return `${node.name} has rows that ${target.name} has not. Set \`primary: ${node.name}\` first.`;
  }
  if (node.timeline < target.timeline) return undefined;
  return `${node.name}, on timeline ${node.timeline}, has parted from ${target.name}, on timeline ${target.timeline}: each has rows that the other has not. Set \`primary: ${node.name}\` to keep those of ${node.name}.`;
}
