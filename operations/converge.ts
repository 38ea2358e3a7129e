import type Docker from "dockerode";
import type pg from "pg";
import { OperationError } from "./errors.ts";
import { streamingProblem } from "./findings.ts";
import { observeNodes, observeServer } from "./observe.ts";
import type { NodeObservation, ServerObservation } from "./observe.ts";
import { restartServer } from "./restart.ts";
import { restartOrder } from "./restart-order.ts";
import { indentedLog, startServer, waitUntilReady } from "./server.ts";
import { keepSlotUnreserved, reserveSlot } from "./slots.ts";
import { one, withOperator } from "./sql.ts";
import { downstreamOf, primaryOf, reservedSlots, waitingSlots } from "./topology.ts";
import type { ShapedNode, TopologyShape } from "./topology.ts";
import { waitUntil } from "./wait-until.ts";

/** What was measured when the topology was as it shall be. */
export interface VerifiedTopology {
  readonly primary: string;
  readonly systemIdentifier: string;
  readonly timeline: number;
  readonly replication: readonly VerifiedReplication[];
}

export interface VerifiedReplication {
  readonly node: string;
  readonly state: string;
  readonly syncState: string;
  readonly slot: string;
  readonly replayLagBytes: number;
}

export interface ConvergeOptions {
  readonly docker: Docker;
  readonly shape: TopologyShape;
  readonly log: (message: string) => void;
  readonly signal?: AbortSignal;
}

const STREAMING_TIMEOUT_SECONDS = 60;
const REPLAY_TIMEOUT_SECONDS = 300;

/**
 * Brings running servers to what the topology shall be: files effective (reload, or restart in the right order), slots
 * as they have to be, every standby streaming over TLS from its own slot.
 * @throws OperationError when the roles are not those of the stack file: roles are never changed in passing.
 */
export async function converge(options: ConvergeOptions): Promise<VerifiedTopology> {
  await refuseOtherPrimary(options);
  await allReady(options);
  requireRoles(options.shape, await observeAll(options));
  await reloadAll(options);
  await restartPending(options);
  await reserveSlots(options);
  return verify(options);
}

/** Looked at before anything is waited for: next to another primary the guard lets the planned one not start. */
async function refuseOtherPrimary({ docker, shape }: ConvergeOptions): Promise<void> {
  const observations = await observeNodes(docker, shape.nodes, shape.operator);
  const servers = new Map(observations.flatMap((node) => (node.answers ? [[node.name, node.server] as const] : [])));
  const wanted = primaryOf(shape)?.name;
  if (primariesAmong(servers).some((name) => name !== wanted)) requireRoles(shape, servers);
}

async function allReady({ docker, shape, signal }: ConvergeOptions): Promise<void> {
  await Promise.all(
    shape.nodes.map(async (node) => {
      await startServer(docker, node);
      await waitUntilReady(docker, node, shape.operator, signal);
    }),
  );
}

async function observeAll({ docker, shape }: ConvergeOptions): Promise<Map<string, ServerObservation>> {
  const observations = await observeNodes(docker, shape.nodes, shape.operator);
  return new Map(observations.map((observation) => [observation.name, requireAnswer(observation)]));
}

function requireAnswer(observation: NodeObservation): ServerObservation {
  if (observation.answers) return observation.server;
  throw new OperationError(`expected ${observation.name} to answer: ${observation.why}`);
}

function requireRoles(shape: TopologyShape, servers: ReadonlyMap<string, ServerObservation>): void {
  const wanted = primaryOf(shape)?.name;
  const primaries = primariesAmong(servers);
  if (primaries.length === 1 && primaries[0] === wanted) return;
  const seen = [...servers].map(([name, server]) => `${name} is a ${server.role} on timeline ${server.timeline}`);
  throw new OperationError(
    `expected ${wanted} to be the only primary, but ${seen.join(", ")}. ` +
      (primaries.length === 1
        ? `Set \`primary: ${primaries[0]}\` in the stack file to keep what is there. Nothing was changed.`
        : "Stop the node whose rows are not wanted before anything else. Nothing was changed."),
  );
}

const primariesAmong = (servers: ReadonlyMap<string, ServerObservation>): string[] =>
  [...servers].filter(([, server]) => server.role === "primary").map(([name]) => name);

async function reloadAll({ docker, shape }: ConvergeOptions): Promise<void> {
  await Promise.all(
    shape.nodes.map((node) =>
      withOperator(docker, node, shape.operator, async (client) => {
        const before = await one<{ at: string }>(client, "SELECT pg_conf_load_time()::text AS at");
        await client.query("SELECT pg_reload_conf()");
        await waitUntil({
          condition: `${node.name} to read its configuration files again`,
          timeoutSeconds: 10,
          probe: async () => {
            const now = await one<{ at: string }>(client, "SELECT pg_conf_load_time()::text AS at");
            return now.at === before.at ? undefined : true;
          },
          seen: () => `it read them at ${before.at}`,
        });
      }),
    ),
  );
}

async function restartPending(options: ConvergeOptions): Promise<void> {
  const { docker, shape, log, signal } = options;
  const servers = await observeAll(options);
  const errors = [...servers].flatMap(([name, server]) => server.fileErrors.map((line) => `${name}: ${line}`));
  if (errors.length > 0) throw new OperationError(`the server refuses a line of its files:\n  ${errors.join("\n  ")}`);
  const order = restartOrder(shape, new Map([...servers].map(([name, server]) => [name, server.pendingRestart])));
  for (const node of order.nodes) {
    if (order.primaryFirst && node.upstream !== null) await replayedEverything(options, node);
    log(`${node.name} is restarted`);
    await restartServer(docker, node, shape.operator, signal);
    const upstream = shape.nodes.find((other) => other.name === node.upstream);
    if (upstream !== undefined) await untilStreaming(options, upstream, [node]);
  }
}

/** A standby that restarts with less than the primary had when it wrote the WAL in between refuses to start. */
async function replayedEverything(options: ConvergeOptions, node: ShapedNode): Promise<void> {
  const { docker, shape, signal } = options;
  const primary = primaryOf(shape);
  if (primary === undefined) return;
  const { lsn } = await withOperator(docker, primary, shape.operator, (client) =>
    one<{ lsn: string }>(client, "SELECT pg_current_wal_lsn()::text AS lsn"),
  );
  await waitUntil({
    condition: `${node.name} to replay everything up to ${lsn}`,
    timeoutSeconds: REPLAY_TIMEOUT_SECONDS,
    signal,
    probe: () =>
      withOperator(docker, node, shape.operator, async (client) => {
        const query = "SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS done";
        return (await one<{ done: boolean }>(client, query, [lsn])).done || undefined;
      }),
    seen: () => "it is still behind",
  });
}

/** A slot for everybody, where they stream. */
async function reserveSlots(options: ConvergeOptions): Promise<void> {
  const { shape } = options;
  await onEveryNode(options, async (node, client) => {
    for (const slot of reservedSlots(shape, node)) await reserveSlot(client, slot);
  });
}

/** A slot for everybody, where they may stream one day. Its old upstream is free of it once it streams from the new one. */
async function releaseSlots(options: ConvergeOptions): Promise<void> {
  const { shape } = options;
  await onEveryNode(options, async (node, client) => {
    for (const slot of waitingSlots(shape, node)) await keepSlotUnreserved(client, slot);
  });
}

async function onEveryNode(
  { docker, shape }: ConvergeOptions,
  use: (node: ShapedNode, client: pg.Client) => Promise<void>,
): Promise<void> {
  await Promise.all(
    shape.nodes.map((node) => withOperator(docker, node, shape.operator, (client) => use(node, client))),
  );
}

async function verify(options: ConvergeOptions): Promise<VerifiedTopology> {
  const { shape } = options;
  const upstreams = shape.nodes.filter((node) => downstreamOf(shape, node).length > 0);
  const replication = await Promise.all(
    upstreams.map((upstream) => untilStreaming(options, upstream, downstreamOf(shape, upstream))),
  );
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

/** Waits for the standbys of one upstream, over one connection to it. */
async function untilStreaming(
  { docker, shape, signal }: ConvergeOptions,
  upstream: ShapedNode,
  standbys: readonly ShapedNode[],
): Promise<VerifiedReplication[]> {
  let behind: readonly ShapedNode[] = standbys;
  let seen = "nothing yet";
  return withOperator(docker, upstream, shape.operator, (client) =>
    waitUntil({
      condition: `${standbys.map((node) => node.name).join(", ")} to stream from ${upstream.name} over TLS`,
      timeoutSeconds: STREAMING_TIMEOUT_SECONDS,
      signal,
      probe: async () => {
        const server = await observeServer(client);
        behind = standbys.filter((node) => streamingProblem(node, server) !== undefined);
        seen = behind.map((node) => `${node.name}: ${streamingProblem(node, server)}`).join("; ");
        return behind.length > 0 ? undefined : standbys.map((node) => verifiedReplication(node, server));
      },
      seen: async () => {
        const logs = behind.map(
          async (node) => `Last lines of the log of ${node.name}:\n${await indentedLog(docker, node)}`,
        );
        return `${seen}.\n${(await Promise.all(logs)).join("\n")}`;
      },
    }),
  );
}

function verifiedReplication(node: ShapedNode, upstream: ServerObservation): VerifiedReplication {
  const sender = upstream.senders.find((candidate) => candidate.applicationName === node.name);
  if (sender === undefined) throw new Error(`${node.name} stopped streaming`);
  return {
    node: node.name,
    state: sender.state,
    syncState: sender.syncState,
    slot: node.slot,
    replayLagBytes: sender.replayLagBytes ?? 0,
  };
}
