import type pg from "pg";
import { readContainerFile, writeContainerFile } from "./container-file.ts";
import { readWalEnd, runDataJob } from "./data-job.ts";
import type { WalEnd } from "./data-job.ts";
import { engineOf, inspectContainer } from "./engine.ts";
import { OperationError, noAnswer } from "./errors.ts";
import { bytesBehind, formatLsn } from "./lsn.ts";
import type { Lsn } from "./lsn.ts";
import type { WhenStandbyMissing } from "./degrade.ts";
import { withFilesOf } from "./node-data.ts";
import type { Node } from "./node.ts";
import { onceStopped } from "./once-stopped.ts";
import { AWAITS_WAL } from "./observe.ts";
import { positionOf } from "./observe-roles.ts";
import type { DownNode, NodeRole, StandbyRole } from "./observe-roles.ts";
import { promote } from "./promote.ts";
import type { LostBytes, RoleAcknowledgement, RoleEnvironment, Switchover } from "./role-environment.ts";
import { reserveSlots } from "./slots.ts";
import { one, withOperator } from "./sql.ts";
import type { OperatorCredentials } from "./sql.ts";
import { isAlteredBySystem, promises, standbyNamesIn } from "./synchronous.ts";
import type { SynchronousGuarantee } from "./synchronous.ts";
import { commonEnd, missingBytes } from "./timeline-history.ts";
import type { LogPosition } from "./timeline-history.ts";
import { holdAsStandby, waitUntilStopped } from "./switchover.ts";
import { waitUntil } from "./wait-until.ts";

/** What can be known of a failover before it is done. */
export interface FailoverFacts {
  readonly from: string;
  readonly to: string;
  /** Where the write-ahead log of the dead primary ends; null: its files are gone, or do not tell. */
  readonly fromEndLsn: Lsn | null;
  readonly toReceivedLsn: Lsn;
  /** Where the target went another way than the dead primary: up to there it has what that wrote. null: it did not. */
  readonly partedAtLsn: Lsn | null;
  /** WAL that the dead primary has and the target never got; null: it cannot be told. */
  readonly lostBytes: number | null;
  /** By synchronous replication no acknowledged row is in what is lost. */
  readonly acknowledgedRowsAreSafe: boolean;
  /** The standby that got the most. */
  readonly best: string;
  /** WAL that it has and the target never got: lost for certain. */
  readonly missedBytes: number;
  /** Whether it could take the dead primary's place instead: it applies nothing late, and is not left behind. */
  readonly isBestFit: boolean;
  /** Other nodes of which nothing is left, neither a container nor data: each of them may have been the primary. */
  readonly lost: readonly string[];
  /** Nodes whose engine does not answer: any of them may be taking writes, and none can be stopped from here. */
  readonly unfenceable: readonly string[];
}

/**
 * What a dead primary has waited for.
 * @param before as the last update that came to its end left it. One that let writes go on without a missing standby has
 * failed: of that only the stack file tells.
 */
export const guaranteeUntilNow = (
  before: SynchronousGuarantee | null | undefined,
  whenStandbyMissing: WhenStandbyMissing,
): SynchronousGuarantee | null => (whenStandbyMissing === "degrade" ? null : (before ?? null));

export interface DeadPrimary {
  readonly from: DownNode;
  readonly fromNode: Node;
  readonly to: StandbyRole;
  /** All nodes of the stack. */
  readonly nodes: readonly NodeRole[];
  readonly guarantee: SynchronousGuarantee | null;
}

/** Reads the log of the dead primary off its volume, in a job that changes nothing. */
export async function failoverFacts(
  environment: RoleEnvironment,
  { from, fromNode, to, nodes, guarantee }: DeadPrimary,
): Promise<FailoverFacts> {
  const [end, standing] = await Promise.all([
    readWalEnd(environment, fromNode).catch(noAnswer),
    standingGuarantee(environment, from, fromNode, guarantee),
  ]);
  return judgeFailover(from.name, to, end ?? null, nodes, standing);
}

/**
 * Whom it waited for at last, only its own files say: what an update was interrupted in writing, or what ALTER SYSTEM has
 * set, has been effective since the last one that came to its end.
 */
async function standingGuarantee(
  { dataDirectory, replicationConf }: RoleEnvironment,
  from: DownNode,
  node: Node,
  guarantee: SynchronousGuarantee | null,
): Promise<SynchronousGuarantee | null> {
  if (guarantee === null || replicationConf === undefined) return null;
  if (from.container === "unreachable" || from.container === "missing") return null;
  const read = (path: string): Promise<string | undefined> =>
    onceStopped(node, path, () => readContainerFile(engineOf(node), node.container, path));
  const [conf = "", autoConf = ""] = await Promise.all([
    read(replicationConf),
    read(`${dataDirectory}/postgresql.auto.conf`),
  ]);
  return !isAlteredBySystem(autoConf) && promises(standbyNamesIn(conf) ?? "", guarantee) ? guarantee : null;
}

/**
 * Pure: the same observations give the same facts.
 * @param end where the log of the dead primary ends; null: it cannot be told.
 */
export function judgeFailover(
  from: string,
  to: StandbyRole,
  end: Pick<WalEnd, "lsn" | "history"> | null,
  nodes: readonly NodeRole[],
  guarantee: SynchronousGuarantee | null,
): FailoverFacts {
  const standbys = nodes.filter(
    (node) => node.kind === "standby" && node.systemIdentifier === to.systemIdentifier,
  ) as StandbyRole[];
  const lost = nodes.flatMap((node) => (node.name !== from && isDataLost(node) ? [node.name] : []));
  const [log, own] = [end && positionAt(end), positionOf(to)];
  const missed = standbys.map((node) => ({
    name: node.name,
    bytes: bytesMore(node, to, log),
    isFit: node.applyDelayMilliseconds === 0 && node.timeline >= to.timeline,
  }));
  const [best] = missed.toSorted((a, b) => rank(b) - rank(a) || (b.bytes ?? 0) - (a.bytes ?? 0));
  return {
    from,
    to: to.name,
    fromEndLsn: end?.lsn ?? null,
    toReceivedLsn: to.receivedLsn,
    partedAtLsn: log && own && partedAt(log, own),
    lostBytes: lost.length > 0 ? null : log && own && missingBytes(log, own),
    acknowledgedRowsAreSafe: guarantee !== null && lost.length === 0 && isCovered(missed, guarantee),
    lost,
    best: (best?.bytes ?? 0) > 0 && best !== undefined ? best.name : to.name,
    missedBytes: best?.bytes ?? 0,
    isBestFit: best?.isFit ?? true,
    unfenceable: nodes.flatMap((node) => (node.kind === "down" && node.container === "unreachable" ? [node.name] : [])),
  };
}

/** Those that have more before those that have not, and of them those that could be the target first. */
function rank({ bytes, isFit }: { readonly bytes: number | null; readonly isFit: boolean }): number {
  if ((bytes ?? 0) === 0) return 0;
  return isFit ? 2 : 1;
}

const isDataLost = (node: NodeRole): boolean =>
  node.kind === "down" && node.container === "missing" && node.control === undefined && node.fence === "none";

const positionAt = ({ history, lsn }: Pick<WalEnd, "lsn" | "history">): LogPosition | null =>
  history && { history, lsn };

/** null: one is a part of the other. */
function partedAt(log: LogPosition, other: LogPosition): Lsn | null {
  const common = commonEnd(log, other);
  return common < log.lsn && common < other.lsn ? common : null;
}

/**
 * What a standby has and another has not: of the log of the dead primary, or, where that cannot be read, of its own.
 * null: it cannot be told, as of one that has no history of its timeline.
 */
function bytesMore(node: StandbyRole, than: StandbyRole, log: LogPosition | null): number | null {
  if (node.name === than.name) return 0;
  const [has, other] = [positionOf(node), positionOf(than)];
  if (has === null || other === null) return null;
  return log === null ? missingBytes(has, other) : bytesBehind(commonEnd(log, other), commonEnd(log, has));
}

/**
 * An acknowledged commit is on `count` of the candidates. Where fewer than that do not answer, one that answers has it;
 * the target has it if it has all that any of them has.
 * @param answering standbys, and what each has more than the target.
 */
function isCovered(
  answering: readonly { readonly name: string; readonly bytes: number | null }[],
  { candidates, count }: SynchronousGuarantee,
): boolean {
  const confirming = answering.filter(({ name }) => candidates.includes(name));
  return candidates.length - confirming.length < count && confirming.every(({ bytes }) => bytes === 0);
}

/** Whether rows may be lost that a client was told are there. */
export const needsAcknowledgement = ({ acknowledgedRowsAreSafe, lostBytes }: FailoverFacts): boolean =>
  !acknowledgedRowsAreSafe && lostBytes !== 0;

/** What the stack file accepts of a failover. */
export interface AcceptedFailover {
  /** null: nothing was said. */
  readonly lostBytes: LostBytes | null;
  /** Nodes that nobody could stop first. */
  readonly unfenced: readonly string[];
}

export const acceptedFailover = ({ failoverLostBytes, unfenced }: RoleAcknowledgement): AcceptedFailover => ({
  // The engine takes a null for nothing at all.
  lostBytes: failoverLostBytes ?? null,
  unfenced: unfenced ?? [],
});

/** Why a failover needs more than the stack file says; undefined: it may be done. */
export function refusedFailover(facts: FailoverFacts, from: DownNode, accepted: AcceptedFailover): string | undefined {
  if (acceptsLoss(facts, accepted) && facts.unfenceable.every((name) => accepted.unfenced.includes(name)))
    return undefined;
  const lines = [whyAsked(facts, from), ...factLines(facts, from), wayOut(facts, from)];
  return lines.join(" ");
}

function acceptsLoss(facts: FailoverFacts, { lostBytes }: AcceptedFailover): boolean {
  if (!needsAcknowledgement(facts)) return true;
  return !isLessThanKnown(facts) && lostBytes !== null && covers(lostBytes, lossOf(facts));
}

/** Nobody knows what the dead primary had, but another standby that could be the target has more of it for certain. */
export const isLessThanKnown = (facts: FailoverFacts): boolean =>
  lossOf(facts) === "unknown" && facts.missedBytes > 0 && facts.isBestFit;

/** No number covers a loss that nobody knows, nor does that cover one that somebody does. */
export const covers = (accepted: LostBytes, loss: LostBytes): boolean =>
  loss === "unknown" || accepted === "unknown" ? loss === accepted : loss <= accepted;

export const lossOf = ({ lostBytes }: FailoverFacts): LostBytes => lostBytes ?? "unknown";

function whyAsked({ to }: FailoverFacts, { name, container, why, standbySignal }: DownNode): string {
  if (standbySignal) {
    return `${name} does not start (${why}), and may have been the primary before; ${to} would be promoted without it.`;
  }
  if (container === "missing")
    return `${name} may be the primary, and its container is gone; ${to} would take its place.`;
  return container === "unreachable"
    ? `${name} may be the primary, and its host cannot be reached (${why}); ${to} would take its place without it.`
    : `${name} is the primary and its server does not answer (${why}); ${to} would take its place without it.`;
}

export const betterTarget = ({ best, to, missedBytes }: FailoverFacts): string =>
  `${best} has received ${missedBytes} bytes more than ${to}: set \`primary: ${best}\`.`;

/** What has to be written to go on all the same, for a stack file. */
export function acknowledgementOf(facts: FailoverFacts): string {
  const { unfenceable } = facts;
  const keys = [
    ...(needsAcknowledgement(facts) ? [`lostBytes: ${lossOf(facts)}`] : []),
    ...(unfenceable.length > 0 ? [`unfenced: [${unfenceable.join(", ")}]`] : []),
  ];
  return `acknowledge: { failover: { ${keys.join(", ")} } }`;
}

function wayOut(facts: FailoverFacts, from: DownNode): string {
  if (isLessThanKnown(facts)) return betterTarget(facts);
  const acknowledgement = `\`${acknowledgementOf(facts)}\` in the stack file`;
  if (from.container === "missing") {
    const again =
      from.control === undefined
        ? ""
        : "Run `pulumi up --refresh` with it as the primary, which makes a new container around its data, to lose nothing; or ";
    return `${again}${again === "" ? "A" : "a"}ccept the loss with ${acknowledgement}.`;
  }
  return from.container === "unreachable"
    ? `Mend the way to its host to switch over without a loss; or, if it cannot be waited for, write ${acknowledgement}.`
    : `Start ${from.name} (docker start) to switch over without a loss; or accept the loss with ${acknowledgement}.`;
}

/** What is going to be done, and what is known, a sentence each. */
export const describeFailover = (facts: FailoverFacts, from: DownNode): string[] => [
  from.container === "unreachable"
    ? `failover: ${facts.from} cannot be reached, is NOT fenced, and ${facts.to} takes its place`
    : `failover: ${facts.from} does not answer, is fenced, and ${facts.to} takes its place`,
  ...factLines(facts, from).map((line) => `  ${line}`),
];

/** What is known, a sentence each. */
function factLines(facts: FailoverFacts, from: DownNode): string[] {
  const { best, missedBytes, to } = facts;
  return [
    lossLine(facts, from),
    ...(facts.acknowledgedRowsAreSafe ? ["Replication was synchronous: no acknowledged row is among them."] : []),
    ...(best === to || isLessThanKnown(facts) ? [] : [`${best} has received ${missedBytes} bytes more than ${to}.`]),
    ...facts.lost.map(
      (name) => `Of ${name} nothing is left: whether it was the primary, and what it had, cannot be told.`,
    ),
    ...(facts.unfenceable.includes(from.name) ? [] : [fencing(from)]),
    ...facts.unfenceable.map(unfencedRisk),
  ];
}

function lossLine(
  { fromEndLsn, toReceivedLsn, partedAtLsn, lostBytes, lost, to }: FailoverFacts,
  { name }: DownNode,
): string {
  const position = `${to} has received up to ${formatLsn(toReceivedLsn)}`;
  if (fromEndLsn === null)
    return `Where the log of ${name} ends cannot be told, ${position}: how much would be lost is not known.`;
  const end = `The log of ${name} ends at ${formatLsn(fromEndLsn)}, ${position}`;
  if (lostBytes === null && lost.length > 0) return `${end}.`;
  if (lostBytes === null)
    return `${end}, but on which timelines the two got there cannot be told, nor what would be lost.`;
  const parted = partedAtLsn === null ? "" : `, but went another way from ${formatLsn(partedAtLsn)} on`;
  return `${end}${parted}: ${lostBytes} bytes would be lost.`;
}

const canBeFenced = ({ container, control }: DownNode): boolean =>
  container !== "unreachable" && (container !== "missing" || control !== undefined);

function fencing(from: DownNode): string {
  if (!canBeFenced(from)) return `${from.name} has neither a container nor data: there is nothing to fence.`;
  return from.container === "missing"
    ? `${from.name} has no container, and its data can be fenced.`
    : `${from.name} can be fenced: its engine answers.`;
}

const unfencedRisk = (name: string): string =>
  `The engine of ${name} does not answer, so that ${name} cannot be fenced: whether its host is dead or only cut off is not known. If its server runs there, clients on that side go on writing until it reaches a newer primary, and what they write is given up.`;

export interface FailoverOrder {
  readonly dead: DeadPrimary;
  readonly accepted: AcceptedFailover;
  readonly to: Node;
  /** Slots of the nodes that will stream from the new primary. */
  readonly slots: readonly string[];
  readonly operator: OperatorCredentials;
  readonly environment: RoleEnvironment;
  readonly log: (message: string) => void;
}

const REPLAY_TIMEOUT_SECONDS = 300;

interface ReplayRow {
  readonly done: boolean;
  readonly replayed: string;
  readonly starved: boolean;
}

/**
 * What was received may end in the middle of a record, since a primary also sends whole pages: that one is never
 * replayed. Then the startup process waits for more, and replay stands still.
 */
const REPLAY = `
SELECT pg_last_wal_replay_lsn() >= coalesce(pg_last_wal_receive_lsn(), '0/0') AS done,
       coalesce(pg_last_wal_replay_lsn(), '0/0')::text AS replayed,
       ${AWAITS_WAL} AS starved`;

/**
 * Makes a standby the primary in the place of a dead one, whose container does not run. The dead one is fenced first:
 * marked beside its data, so that nothing but a rejoin lets its server start again.
 * @throws OperationError where more would be lost than the stack file accepts.
 */
export async function failOver(order: FailoverOrder): Promise<Switchover> {
  const { dead, to, environment, log } = order;
  const { from } = dead;
  const stopped = await runsOfContainer(dead.fromNode, from);
  const facts = await requireAccepted(environment, dead, order.accepted);
  const startedAt = performance.now();
  const isFenced = canBeFenced(from);
  if (isFenced) await fence(order);
  await requireSameRun(order, stopped);
  log(`${from.name} ${isFenced ? "is" : "could not be"} fenced, and ${to.name} takes its place`);
  await withOperator(to, order.operator, async (client) => {
    await reserveSlots(client, order.slots);
    await untilAllIsReplayed(client, to);
    await promote(client, to.name);
  });
  const writeGapMs = Math.round(performance.now() - startedAt);
  const { lostBytes } = facts;
  return { from: facts.from, to: facts.to, writeGapMs, lostBytes, at: new Date().toISOString() };
}

/** When its container last ended; undefined: there is none, or nobody can see it. */
async function runsOfContainer(node: Node, { container }: DownNode): Promise<string | undefined> {
  if (container === "unreachable") return undefined;
  return (await inspectContainer(engineOf(node), node.container))?.State.FinishedAt;
}

/**
 * Once it is fenced its server does not start again. One that somebody has started since it was looked at may have
 * acknowledged rows that nobody has counted.
 * @throws OperationError then, when it is stopped, and can be started again.
 */
async function requireSameRun({ dead, environment }: FailoverOrder, stopped: string | undefined): Promise<void> {
  const { from, fromNode } = dead;
  if (stopped === undefined) return;
  await waitUntilStopped(fromNode);
  if ((await runsOfContainer(fromNode, from)) === stopped) return;
  await refuseStarted(environment, fromNode, from);
}

/**
 * Of a node that somebody has started since it was looked at, and that is stopped again: it can be started as what it was.
 * A fence, or a hold, would tell the next update that all of this was accepted.
 * @throws OperationError always.
 */
export async function refuseStarted(
  environment: RoleEnvironment,
  node: Node,
  { standbySignal }: DownNode,
): Promise<never> {
  await runDataJob(environment, node.name, "release");
  if (standbySignal) await holdAsStandby(environment, node);
  throw new OperationError(
    `${node.name} was started just before another node was to take its place, and may have taken writes: it is stopped, and nobody was promoted. Run the update again, which looks at what it has now.`,
  );
}

/** @throws OperationError where more would be lost than the stack file accepts. */
export async function requireAccepted(
  environment: RoleEnvironment,
  dead: DeadPrimary,
  accepted: AcceptedFailover,
): Promise<FailoverFacts> {
  const facts = await failoverFacts(environment, dead);
  const refusal = refusedFailover(facts, dead.from, accepted);
  if (refusal !== undefined) throw new OperationError(`${refusal} No role was changed.`);
  return facts;
}

async function fence({ dead, to, environment }: FailoverOrder): Promise<void> {
  const { fromNode } = dead;
  const reason = `${to.name} was made primary in place of ${fromNode.name}.\n`;
  await withFilesOf(environment, fromNode, (container) =>
    writeContainerFile(engineOf(fromNode), container, environment.fenceFile, reason, environment.uid),
  );
}

async function untilAllIsReplayed(client: pg.Client, { name }: Node): Promise<void> {
  let before: string | undefined;
  await waitUntil({
    condition: `${name} to replay what it has received`,
    timeoutSeconds: REPLAY_TIMEOUT_SECONDS,
    probe: async () => {
      const { done, replayed, starved } = await one<ReplayRow>(client, REPLAY);
      const isStuck = starved && replayed === before;
      before = replayed;
      return done || isStuck || undefined;
    },
    seen: () => "it is still behind",
  });
}
