import { comeUp } from "./come-up.ts";
import { writeContainerFile } from "./container-file.ts";
import { runDataJob } from "./data-job.ts";
import { decideRoles, isStoppedStandby } from "./decide-roles.ts";
import type { RoleDecision } from "./decide-roles.ts";
import { engineOf } from "./engine.ts";
import { OperationError, noAnswer } from "./errors.ts";
import { acceptedFailover, failOver, refuseStarted, requireAccepted } from "./failover.ts";
import type { SynchronousGuarantee } from "./synchronous.ts";
import { hasArchive, lacksWal } from "./findings.ts";
import { findNodes } from "./node.ts";
import type { Node } from "./node.ts";
import { findAllNodes, observePatiently, observeRoles } from "./observe-roles.ts";
import type { DownNode, NodeRole, StandbyRole } from "./observe-roles.ts";
import { observeServer } from "./observe.ts";
import type { PgControl } from "./pg-control.ts";
import { promote } from "./promote.ts";
import { cannotFollow, planRejoin, primaryHistory, refusedRejoin, rejoin } from "./rejoin.ts";
import type { RejoinStep } from "./rejoin.ts";
import type { RoleAcknowledgement, RoleEnvironment, Switchover } from "./role-environment.ts";
import { startServer, waitUntilReady } from "./server.ts";
import { reserveSlot, reserveSlots } from "./slots.ts";
import { withOperator } from "./sql.ts";
import { runAsSuperuser } from "./superuser.ts";
import { holdAsStandby, switchOver, waitUntilStopped } from "./switchover.ts";
import { primaryOf, reservedSlots } from "./topology.ts";
import type { ShapedNode, TopologyShape } from "./topology.ts";
import { waitUntil } from "./wait-until.ts";

export interface RoleOrder {
  readonly shape: TopologyShape;
  /** The primary as the last update left it; null: there was none. */
  readonly primaryBefore: string | null;
  readonly environment: RoleEnvironment;
  readonly acknowledgement: RoleAcknowledgement;
  /** What the old primary waited for; null: replication was asynchronous. */
  readonly guarantee: SynchronousGuarantee | null;
  readonly log: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Starting nodes that are down tells more; what is left after so many rounds is not going to change. */
const MAXIMUM_ROUNDS = 4;

/**
 * Makes the wanted node the only primary, from whatever state an earlier run was interrupted in, and all others able to
 * follow it.
 * @returns what changed hands; null: nothing did.
 * @throws OperationError where rows could be lost, or where two nodes take writes, without the operator having said so.
 */
export async function establishRoles(order: RoleOrder): Promise<Switchover | null> {
  const failed = new Set<string>();
  const changed = await settlePrimary(order, failed, MAXIMUM_ROUNDS);
  if (await letOthersFollow(order, failed)) await letOthersFollow(order, failed);
  return changed;
}

/** @param failed nodes that do not start, and that the stack file lets the update go on without. */
async function settlePrimary(order: RoleOrder, failed: Set<string>, roundsLeft: number): Promise<Switchover | null> {
  const { shape, primaryBefore } = order;
  const nodes = await allNodes(order);
  const wanted = wantedPrimary(shape);
  const roles = await observeRoles(nodes, order.environment);
  const trials = { dispensable: order.acknowledgement.rejoin, failed: [...failed] };
  const decision = decideRoles(wanted, primaryBefore !== wanted, roles, trials);
  switch (decision.kind) {
    case "none":
      await releaseLeftOverHold(order, roles);
      return changedBefore(order, wanted);
    case "start":
      if (roundsLeft === 0) throw new OperationError(`expected ${decision.nodes.join(", ")} to answer once started.`);
      for (const name of await startAll(order, nodes, roles, decision.nodes)) failed.add(name);
      return settlePrimary(order, failed, roundsLeft - 1);
    case "unfence":
      if (roundsLeft === 0) throw new OperationError(`expected ${decision.node} to take writes once started.`);
      await takeBack(order, named(nodes, decision.node));
      return settlePrimary(order, failed, roundsLeft - 1);
    case "switchover":
      return switchRoles(order, nodes, decision);
    case "promote":
      return promoteWithAll(order, nodes, decision);
    case "failover":
      return replaceDead(order, nodes, roles, decision, failed, roundsLeft);
    case "refused":
      throw new OperationError(`${decision.reason} Nothing was changed.`);
  }
}

/** What was done by an update that did not come to its end, or by hand: nobody measured it. null: nothing was. */
function changedBefore({ primaryBefore: from }: RoleOrder, to: string): Switchover | null {
  if (from === null || from === to) return null;
  return { from, to, writeGapMs: null, lostBytes: null, at: new Date().toISOString() };
}

/** Those of the plan, and those that leave with this update: one of them may be the primary. */
async function allNodes({ shape, environment }: RoleOrder): Promise<Node[]> {
  const found = await findAllNodes(environment);
  return [...shape.nodes, ...found.filter((node) => !shape.nodes.some(({ name }) => name === node.name))];
}

function wantedPrimary(shape: TopologyShape): string {
  const primary = primaryOf(shape);
  if (primary === undefined) throw new Error("a topology without a primary");
  return primary.name;
}

function named<N extends Node>(nodes: readonly N[], name: string): N {
  const node = nodes.find((candidate) => candidate.name === name);
  if (node === undefined) throw new Error(`${name} is not among the nodes`);
  return node;
}

const shapedNode = (shape: TopologyShape, name: string): ShapedNode => named(shape.nodes, name);

/** An interrupted switchover that the operator took back: the primary must not come back as a standby one day. */
async function releaseLeftOverHold({ environment }: RoleOrder, roles: readonly NodeRole[]): Promise<void> {
  const held = roles.find((role) => role.kind === "primary" && role.heldAsStandby);
  if (held === undefined) return;
  const nodes = await findNodes(environment);
  await runAsSuperuser(named(nodes, held.name), `\\! rm -f '${environment.dataDirectory}/standby.signal'\n`);
}

/** @returns those that do not come up, where the stack file says what is to be done then. */
async function startAll(
  order: RoleOrder,
  nodes: readonly Node[],
  roles: readonly NodeRole[],
  names: readonly string[],
): Promise<string[]> {
  const failures = await Promise.all(
    names.map(async (name) => {
      try {
        await startAndWait(order, named(nodes, name));
        return [];
      } catch (error) {
        order.signal?.throwIfAborted();
        // Without the wanted primary nothing goes on.
        if (!(error instanceof OperationError) || name === wantedPrimary(order.shape)) throw error;
        const role = roles.find((candidate) => candidate.name === name);
        const wayOut = withoutNode(
          order,
          name,
          role?.kind === "down" && !role.standbySignal && role.control !== undefined,
        );
        if (wayOut !== null) throw new OperationError(`${error.message}\n${wayOut}`, { cause: error });
        order.log(`${name} does not start, and the update goes on without it: ${error.message}`);
        return [name];
      }
    }),
  );
  return failures.flat();
}

/** What the stack file has to say so that an update goes on without a node that does not start; null: it says so. */
function withoutNode({ acknowledgement }: RoleOrder, name: string, wasPrimary: boolean): string | null {
  if (wasPrimary) {
    if (acknowledgement.failoverLostBytes !== null) return null;
    return `If ${name} cannot be started, \`acknowledge: { failover: { lostBytes: 0 } }\` in the stack file says what would be lost without it, and is refused unless that is nothing.`;
  }
  if (acknowledgement.rejoin.includes(name)) return null;
  return `If ${name} cannot be started, and what it alone has is not wanted, \`acknowledge: { rejoin: [${name}] }\` in the stack file lets the update go on without it, and clone it again.`;
}

async function startAndWait({ shape, log, signal }: RoleOrder, node: Node): Promise<void> {
  const { operator } = shape;
  const files = shape.nodes.find(({ name }) => name === node.name)?.serverFiles;
  await startServer(node);
  if (files === undefined) await waitUntilReady(node, operator, signal);
  else await comeUp({ operator, log, signal }, node, files);
}

/** The guard asks all others once more before it lets the server open for writes. */
async function takeBack(order: RoleOrder, node: Node): Promise<void> {
  order.log(`${node.name} is the primary again: nobody was promoted in its place`);
  await runDataJob(order.environment, node.name, "release", order.signal);
  await startAndWait(order, node);
}

async function switchRoles(
  order: RoleOrder,
  nodes: readonly Node[],
  { from, to }: RoleDecision & { kind: "switchover" },
): Promise<Switchover> {
  const { shape, environment, log, signal } = order;
  const target = shapedNode(shape, to.name);
  return switchOver({
    from: named(nodes, from.name),
    to: target,
    slots: reservedSlots(shape, target),
    operator: shape.operator,
    environment,
    log,
    signal,
  });
}

/** Nobody takes writes, and the target has every row: an interrupted switchover goes on. */
async function promoteWithAll(
  order: RoleOrder,
  nodes: readonly Node[],
  { from, to }: { from: DownNode | undefined; to: StandbyRole },
): Promise<Switchover | null> {
  const { shape, environment, log } = order;
  const target = shapedNode(shape, to.name);
  if (from !== undefined) await holdStopped(environment, named(nodes, from.name), from);
  log(`nobody takes writes, and ${to.name} has every row: it is promoted`);
  await withOperator(target, shape.operator, async (client) => {
    await reserveSlots(client, reservedSlots(shape, target));
    await promote(client, to.name);
  });
  if (from?.control === undefined) return changedBefore(order, to.name);
  const writeGapMs = Math.max(0, Date.now() - from.control.writtenAtSeconds * 1000);
  return { from: from.name, to: to.name, writeGapMs, lostBytes: 0, at: new Date().toISOString() };
}

/**
 * One that somebody has started since it was looked at may have taken writes that nobody else has.
 * @throws OperationError then: it is stopped, and can be started again as what it was.
 */
async function holdStopped(environment: RoleEnvironment, node: Node, seen: DownNode): Promise<void> {
  await holdAsStandby(environment, node);
  if (seen.container !== "missing") await waitUntilStopped(node);
  const [now] = await observeRoles([node], environment);
  if (now?.kind === "down" && isSameStop(now.control, seen.control)) return;
  await refuseStarted(environment, node, seen);
}

const isSameStop = (now: PgControl | undefined, before: PgControl | undefined): boolean =>
  now?.state === before?.state && now?.checkpointLsn === before?.checkpointLsn;

/**
 * One whose container still runs may write on, although it does not answer. It is stopped first, and then all is looked
 * at anew: a clean stop sends what is left to the standbys.
 */
async function replaceDead(
  order: RoleOrder,
  nodes: readonly Node[],
  roles: readonly NodeRole[],
  { from, to }: { from: DownNode; to: StandbyRole },
  failed: Set<string>,
  roundsLeft: number,
): Promise<Switchover | null> {
  const { shape, environment, acknowledgement, guarantee, log } = order;
  const accepted = acceptedFailover(acknowledgement);
  const fromNode = named(nodes, from.name);
  const dead = { from, fromNode, to, nodes: roles, guarantee };
  if (mayStillWrite(from)) {
    if (roundsLeft === 0) throw new OperationError(`expected the container of ${from.name} to stop.`);
    await requireAccepted(environment, dead, accepted);
    log(`${from.name} does not answer, and is stopped so that it writes no more`);
    await waitUntilStopped(fromNode);
    return settlePrimary(order, failed, roundsLeft - 1);
  }
  if (from.container === "unreachable" && followersOf(from, roles).length > 0) {
    if (roundsLeft === 0) throw new OperationError(`${from.name} cannot be reached, but ${stillStreamed(from, roles)}`);
    await untilNobodyFollows(order, nodes, from);
    return settlePrimary(order, failed, roundsLeft - 1);
  }
  const target = shapedNode(shape, to.name);
  return failOver({
    dead,
    accepted,
    to: target,
    slots: reservedSlots(shape, target),
    operator: shape.operator,
    environment,
    log,
  });
}

const followersOf = (from: DownNode, roles: readonly NodeRole[]): string[] =>
  roles.flatMap((role) => (role.kind === "standby" && role.streamsFrom === from.name ? [role.name] : []));

const stillStreamed = (from: DownNode, roles: readonly NodeRole[]): string =>
  `its server lives: ${followersOf(from, roles).join(", ")} follow it, and what it acknowledges would be lost. Mend the way to its host, or stop its server there. No role was changed.`;

/** By TCP's keepalives a WAL receiver gives up a primary that is gone in about ten seconds. */
const GIVEN_UP_TIMEOUT_SECONDS = 30;

/**
 * A primary that cannot be reached from here may well be reached by its standbys, and go on acknowledging what they
 * confirm.
 * @throws OperationError where it does.
 */
async function untilNobodyFollows(order: RoleOrder, nodes: readonly Node[], from: DownNode): Promise<void> {
  const others = nodes.filter(({ name }) => name !== from.name);
  order.log(`${from.name} cannot be reached: its standbys are waited for to give it up too`);
  let roles: readonly NodeRole[] = [];
  await waitUntil({
    condition: `all standbys to give up ${from.name}, which cannot be reached from here`,
    timeoutSeconds: GIVEN_UP_TIMEOUT_SECONDS,
    intervalMilliseconds: 300,
    signal: order.signal,
    probe: async () => {
      roles = await observeRoles(others, order.environment);
      return followersOf(from, roles).length === 0 || undefined;
    },
    seen: () => stillStreamed(from, roles),
  });
}

function mayStillWrite({ container }: DownNode): boolean {
  switch (container) {
    case "running":
    case "paused":
    case "held":
      return true;
    case "stopped":
    case "missing":
    // It may, but nobody can stop it from here: the stack file says that it is left at that.
    case "unreachable":
      return false;
  }
}

/**
 * Only of nodes that stay: one that leaves is removed as it is.
 * @returns whether standbys were started: what they lack shows only then.
 */
async function letOthersFollow(order: RoleOrder, failed: ReadonlySet<string>): Promise<boolean> {
  const { shape, environment, acknowledgement, log, signal } = order;
  const primary = primaryOf(shape);
  if (primary === undefined) return false;
  const others = shape.nodes.filter((node) => node !== primary);
  const [self, ...observed] = await observePatiently([primary, ...others], environment, signal);
  const roles = observed.filter((role) => role.kind !== "down" || role.container !== "unreachable");
  if (self?.kind !== "primary") throw new OperationError(`expected ${primary.name} to take writes, but it does not.`);
  const history = await primaryHistory(primary, self.timeline);
  const context = { environment, acknowledgement, log, signal };
  const starved = await starvedStandbys(order, roles);
  const broken = roles.filter(({ name }) => failed.has(name));
  const stuck = new Set([...cannotFollow(roles, history), ...starved, ...broken]);
  await Promise.all(
    [...stuck].map(async (role) => {
      if (role.kind === "primary") return;
      const node = shapedNode(shape, role.name);
      await waitUntilStopped(node);
      const planned = await planRejoin(context, node, role, history);
      const step = cloneWhere(planned, starved.includes(role), broken.includes(role));
      const refusal = refusedRejoin(step, role.kind === "down" && role.fence !== "none", acknowledgement);
      if (refusal !== undefined) throw new OperationError(refusal);
      await prepareClone(order, primary, node, step);
      await rejoin(context, primary, node, step);
    }),
  );
  const stopped = roles.filter((role) => role.kind === "down" && isStoppedStandby(role) && !stuck.has(role));
  await Promise.all(stopped.map(({ name }) => startAndWait(order, shapedNode(shape, name)).catch(noAnswer)));
  return stopped.length > 0;
}

/** What has to be there to follow, or to rewind, is gone, or cannot be used. */
function cloneWhere(step: RejoinStep, isStarved: boolean, isBroken: boolean): RejoinStep {
  if (step.rung === "clone" || (!isStarved && !isBroken)) return step;
  return { ...step, rung: "clone", reason: isBroken ? "its server does not start" : "WAL that it needs is gone" };
}

/** Standbys whose upstream has no longer what they need, and that have no archive to fetch it from. */
async function starvedStandbys({ shape }: RoleOrder, roles: readonly NodeRole[]): Promise<NodeRole[]> {
  const starved = await Promise.all(
    roles.map(async (role) => {
      const mayBe = role.kind === "down" ? role.standbySignal : role.kind === "standby" && !role.streaming;
      const node = shapedNode(shape, role.name);
      const upstream = shape.nodes.find(({ name }) => name === node.upstream);
      if (!mayBe || upstream === undefined || hasArchive(node)) return [];
      const [own, server] = await Promise.all(
        [node, upstream].map((asked) => withOperator(asked, shape.operator, observeServer).catch(noAnswer)),
      );
      // A server that does not answer says nothing of its slots.
      if (server === undefined) return [];
      const isSlotLost = server.slots.some(({ name, lostCloneBytes }) => name === node.slot && lostCloneBytes !== null);
      return isSlotLost || (own !== undefined && lacksWal(node, own, server)) ? [role] : [];
    }),
  );
  return starved.flat();
}

/**
 * A base backup streams WAL from the node's slot, which an invalidated one does not let it do. A run that is interrupted
 * goes on by the fence: with a slot made anew nothing else tells that WAL is missing.
 */
async function prepareClone(
  { shape, environment }: RoleOrder,
  primary: ShapedNode,
  node: ShapedNode,
  { rung }: RejoinStep,
): Promise<void> {
  if (rung !== "clone") return;
  await writeContainerFile(
    engineOf(node),
    node.container,
    environment.fenceFile,
    "unfinished: base backup",
    environment.uid,
  );
  await withOperator(primary, shape.operator, (client) => reserveSlot(client, node.slot));
}
