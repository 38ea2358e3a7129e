import type pg from "pg";
import { applyConfiguration } from "./apply-configuration.ts";
import type { LastRestart } from "./apply-configuration.ts";
import { readRenewedCertificate } from "./certificate-refusal.ts";
import { comeUp } from "./come-up.ts";
import { standbyConfirmation, untilAllIsConfirmed } from "./confirmation.ts";
import { commitsGoOn, waitForAllAgain } from "./degrade.ts";
import type { WhenStandbyMissing } from "./degrade.ts";
import { isReachable } from "./engine.ts";
import { OperationError } from "./errors.ts";
import { establishRoles } from "./establish-roles.ts";
import type { RoleOrder } from "./establish-roles.ts";
import { observeNodes } from "./observe.ts";
import type { NodeObservation, ServerObservation } from "./observe.ts";
import type { Switchover } from "./role-environment.ts";
import { startServer } from "./server.ts";
import { dropIdleSlots, keepSlotUnreserved, reserveSlots } from "./slots.ts";
import { withOperator } from "./sql.ts";
import { LATE, untilStreaming } from "./streaming.ts";
import type { VerifiedReplication } from "./streaming.ts";
import { promises, wantedNames } from "./synchronous.ts";
import { downstreamOf, primaryOf, reservedSlots, waitingSlots } from "./topology.ts";
import type { ShapedNode } from "./topology.ts";

/** What was measured when the topology was as it shall be. */
export interface VerifiedTopology {
  readonly primary: string;
  readonly systemIdentifier: string;
  readonly timeline: number;
  readonly replication: readonly VerifiedReplication[];
}

export interface ConvergedTopology extends VerifiedTopology {
  /** null: no server was restarted this time. */
  readonly restarted: LastRestart | null;
  /** null: no role changed hands. */
  readonly switchover: Switchover | null;
}

export interface ConvergeOptions extends RoleOrder {
  readonly whenStandbyMissing: WhenStandbyMissing;
}

/**
 * Brings running servers to what the topology shall be: roles, files effective (reload, or restart in the right order),
 * slots as they have to be, every standby streaming over TLS from its own slot.
 * @throws OperationError where that would lose rows, or a server does not come along.
 */
export async function converge(options: ConvergeOptions): Promise<ConvergedTopology> {
  try {
    return await convergeAll(options);
  } catch (error) {
    throw options.whenStandbyMissing === "degrade" ? await degraded(options, error) : error;
  }
}

async function convergeAll(options: ConvergeOptions): Promise<ConvergedTopology> {
  await readRenewedCertificates(options);
  const switchover = await establishRoles(options);
  const { here, away } = await withoutUnreachable(options);
  await allReady(here);
  const restarted = await applyConfiguration(here);
  await reserveAllSlots(here);
  const verified = await verify(here);
  const isWhole = await waitForAllAgain(here);
  requireOthers(options, away);
  await keepsPromise(options, away);
  return { ...(isWhole ? await verify(here) : verified), restarted, switchover };
}

/**
 * What an update that came to its end says of synchronous replication, a failover believes. Where nodes are away that
 * nobody waits for, commits may wait for longer than an update does: then nothing has changed since the last one.
 */
async function keepsPromise(
  { shape, guarantee, whenStandbyMissing, signal }: ConvergeOptions,
  away: readonly ShapedNode[],
): Promise<void> {
  const primary = primaryOf(shape);
  const isKeptAlready = primary !== undefined && guarantee !== null && promises(wantedNames(primary), guarantee);
  const wanted = standbyConfirmation(shape);
  if (wanted === undefined || whenStandbyMissing === "degrade" || (away.length > 0 && isKeptAlready)) return;
  await untilAllIsConfirmed(shape, wanted, signal);
}

/** Before anything else: whoever logs in verifies them. */
async function readRenewedCertificates({ shape }: ConvergeOptions): Promise<void> {
  await Promise.all(
    shape.nodes.map(async (node) => {
      if (await isReachable(node)) await readRenewedCertificate(node, shape.operator);
    }),
  );
}

/** What can be done without the nodes whose engine does not answer is done without them. */
async function withoutUnreachable(
  options: ConvergeOptions,
): Promise<{ readonly here: ConvergeOptions; readonly away: readonly ShapedNode[] }> {
  const { shape } = options;
  const answering = await Promise.all(shape.nodes.map(isReachable));
  const away = shape.nodes.filter((_, index) => !answering[index]);
  return { here: { ...options, shape: { ...shape, nodes: shape.nodes.filter((node) => !away.includes(node)) } }, away };
}

/** An update is not done while a node is left as it is, unless that is what the stack file says of it. */
function requireOthers({ shape, acknowledgement, log }: ConvergeOptions, away: readonly ShapedNode[]): void {
  const accepted = away.filter(({ name }) => acknowledgement.unfenced?.includes(name));
  for (const node of accepted) {
    log(`${node.name} is left as it is: the engine of its host does not answer`);
    for (const { name } of downstreamOf(shape, node).filter((below) => !away.includes(below))) {
      log(`${name} has nobody to follow: its upstream is ${node.name}. Give it another in the stack file`);
    }
  }
  const missed = away.filter((node) => !accepted.includes(node)).map(({ name, host }) => `${name} on ${host?.name}`);
  if (missed.length === 0) return;
  throw new OperationError(
    `${missed.join(", ")} could not be reached: the engine there does not answer. All else of this update is done; run it again once it does.`,
  );
}

/** What could not be brought back fails the update; writes do not wait for it any longer. */
async function degraded(options: ConvergeOptions, error: unknown): Promise<unknown> {
  if (!(error instanceof OperationError) || options.signal?.aborted) return error;
  const done = await commitsGoOn(options);
  return done === undefined ? error : new OperationError(`${error.message}\n${done}`, { cause: error });
}

async function allReady({ shape, log, signal }: ConvergeOptions): Promise<void> {
  await Promise.all(
    shape.nodes.map(async (node) => {
      await startServer(node);
      await comeUp({ operator: shape.operator, log, signal }, node, node.serverFiles);
    }),
  );
}

async function observeAll({ shape }: ConvergeOptions): Promise<Map<string, ServerObservation>> {
  const observations = await observeNodes(shape.nodes, shape.operator);
  return new Map(observations.map((observation) => [observation.name, requireAnswer(observation)]));
}

function requireAnswer(observation: NodeObservation): ServerObservation {
  if (observation.answers) return observation.server;
  throw new OperationError(`expected ${observation.name} to answer: ${observation.why}`);
}

/** A slot for everybody, where they stream. */
const reserveAllSlots = (options: ConvergeOptions): Promise<void> =>
  onEveryNode(options, (node, client) => reserveSlots(client, reservedSlots(options.shape, node)));

/**
 * A slot for everybody, where they may stream one day, and none for who has left. Its old upstream is free of it once it
 * streams from the new one.
 */
async function releaseSlots(options: ConvergeOptions): Promise<void> {
  const { shape } = options;
  await onEveryNode(options, async (node, client) => {
    for (const slot of waitingSlots(shape, node)) await keepSlotUnreserved(client, slot);
    await dropIdleSlots(client, shape.retiredSlots ?? []);
  });
}

async function onEveryNode(
  { shape }: ConvergeOptions,
  use: (node: ShapedNode, client: pg.Client) => Promise<void>,
): Promise<void> {
  await Promise.all(shape.nodes.map((node) => withOperator(node, shape.operator, (client) => use(node, client))));
}

async function verify(options: ConvergeOptions): Promise<VerifiedTopology> {
  const { shape } = options;
  const upstreams = shape.nodes.filter((node) => downstreamOf(shape, node).length > 0);
  const replication = await Promise.all(
    upstreams.map((upstream) => untilStreaming(options, upstream, downstreamOf(shape, upstream))),
  );
  for (const { node } of replication.flat().filter(({ state }) => state === LATE)) {
    options.log(`${node} is connected again once it has applied what it received before, as its applyDelay says`);
  }
  const [servers] = await Promise.all([observeAll(options), releaseSlots(options)]);
  const primary = primaryOf(shape);
  const server = servers.get(primary?.name ?? "");
  if (primary === undefined || server === undefined) throw new Error("a topology without a primary");
  return {
    primary: primary.name,
    systemIdentifier: server.systemIdentifier,
    timeline: server.timeline,
    replication: replication.flat(),
  };
}
