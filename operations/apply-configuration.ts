import type pg from "pg";
import { escapeIdentifier } from "pg";
import { leaveToFiles, waitForUnpromised } from "./degrade.ts";
import { engineOf } from "./engine.ts";
import { OperationError, messageOf } from "./errors.ts";
import { observeServer } from "./observe.ts";
import type { PendingParameter, ServerObservation } from "./observe.ts";
import { restartServer, writeOnce } from "./restart.ts";
import { restartOrder } from "./restart-order.ts";
import { ServerEndedError, restartEnding, waitUntilReady } from "./server.ts";
import { areInstalled, areProven, installFiles, markProven, restoreFiles } from "./server-files.ts";
import { one, withOperator } from "./sql.ts";
import { untilStreaming } from "./streaming.ts";
import { SYNCHRONOUS_STANDBY_NAMES, wantedNames } from "./synchronous.ts";
import { runAsSuperuser } from "./superuser.ts";
import { primaryOf } from "./topology.ts";
import type { ShapedNode, TopologyShape } from "./topology.ts";
import { readVolumeFiles } from "./volume-files.ts";
import type { FoundFiles } from "./volume-files.ts";
import { waitUntil } from "./wait-until.ts";

/** What the last update that restarted servers has measured. */
export interface LastRestart {
  /** In the order in which they were restarted. */
  readonly nodes: readonly string[];
  /** From the stop of the primary to the first write that was confirmed again; null: it was not restarted. */
  readonly writeGapMs: number | null;
  /** ISO 8601. */
  readonly at: string;
}

export interface ApplyOptions {
  readonly shape: TopologyShape;
  readonly log: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

const REPLAY_TIMEOUT_SECONDS = 300;

/** A node before its files are looked at again by its server. */
interface Configured {
  readonly node: ShapedNode;
  readonly server: ServerObservation;
  /** Parameters that only a restart brings to what the files shall say. */
  readonly waiting: readonly PendingParameter[];
  readonly found: FoundFiles;
}

/**
 * Makes the files of all servers effective: where a reload is enough, side by side; where a restart is needed, one
 * node after the other in the right order, each back and streaming before the next. A node's files change when its own
 * turn comes: one that crashes before starts with those that it had.
 * @returns null: nothing was restarted.
 * @throws OperationError when a server does not take its new files, or does not come back with them. It runs with its
 * old ones then, and the nodes after it were not touched.
 */
export async function applyConfiguration(options: ApplyOptions): Promise<LastRestart | null> {
  const configured = await Promise.all(options.shape.nodes.map((node) => lookAt(options, node)));
  const order = restartOrder(
    options.shape,
    new Map(configured.map(({ node, waiting }) => [node.name, waiting] as const)),
  );
  const turns = order.nodes.flatMap((node) => configured.find((one) => one.node === node) ?? []);
  await Promise.all(configured.filter((one) => !turns.includes(one)).map((one) => apply(options, one)));
  const restarts: { name: string; writeGapMs: number | null }[] = [];
  for (const one of turns) {
    if (order.afterReplay && one.node.upstream !== null) await replayedEverything(options, one.node);
    const restarted = await apply(options, one);
    if (restarted !== null) restarts.push({ name: one.node.name, writeGapMs: restarted.writeGapMs });
  }
  await resumeReplay(options);
  if (restarts.length === 0) return null;
  const writeGapMs = restarts.find((restart) => restart.writeGapMs !== null)?.writeGapMs ?? null;
  return { nodes: restarts.map(({ name }) => name), writeGapMs, at: new Date().toISOString() };
}

async function lookAt({ shape }: ApplyOptions, node: ShapedNode): Promise<Configured> {
  const [[server, waiting], found] = await Promise.all([
    withOperator(
      node,
      shape.operator,
      async (client) => [await observeServer(client), await waitingForRestart(client, node)] as const,
    ),
    readVolumeFiles(node.serverFiles, node.container),
  ]);
  return { node, server, waiting, found };
}

/**
 * What a server runs with and shall not, although the files that say so may not be there yet. A value in another
 * notation counts too: whether it is restarted in its turn the server decides by itself.
 */
async function waitingForRestart(client: pg.Client, { parameters }: ShapedNode): Promise<PendingParameter[]> {
  const { rows } = await client.query<{ name: string; running: string; default_value: string }>(
    `SELECT name, current_setting(name) AS running, coalesce(boot_val, '') AS default_value FROM pg_settings
     WHERE context = 'postmaster' AND (name = ANY($1) OR sourcefile IS NOT NULL)`,
    [Object.keys(parameters)],
  );
  return rows
    .map(({ name, running, default_value }) => ({ name, running, pending: parameters[name] ?? default_value }))
    .filter(({ running, pending }) => running !== pending);
}

/** @returns null: a reload was enough. */
async function apply(options: ApplyOptions, before: Configured): Promise<{ writeGapMs: number | null } | null> {
  const { signal } = options;
  const { node, found } = before;
  const proven = areProven(node.serverFiles, found);
  let restarting = false;
  try {
    if (changesPromise(before) && !isMarked(before)) await waitForUnpromised(node);
    await resetAlteredSystem(options, before);
    if (!areInstalled(node.serverFiles, found)) await installFiles(node.serverFiles);
    await reload(options, node);
    restarting = await needsRestart(options, node);
    const restarted = restarting ? await restart(options, node) : null;
    if (!proven) await markProven(node.serverFiles);
    if (wantedNames(node) === "" && (changesPromise(before) || isMarked(before))) await leaveToFiles(node);
    return restarted;
  } catch (error) {
    if (proven || signal?.aborted) throw error;
    throw await goneBack(options, before, restarting, error);
  }
}

/**
 * Whether commits of a primary are about to wait for others than those who have confirmed the ones before, or for nobody.
 * Until the files are proven that say so, an update that is interrupted may leave those that name the ones before.
 */
const changesPromise = ({ node, server }: Configured): boolean =>
  node.upstream === null && server.synchronous.names !== wantedNames(node);

/** Whether ALTER SYSTEM says whom commits of a primary wait for, so that nobody believes its files. */
const isMarked = ({ node, server }: Configured): boolean =>
  node.upstream === null && server.alteredSystem.includes(SYNCHRONOUS_STANDBY_NAMES);

/** Whom a primary's commits wait for meanwhile stays until its files are proven, and those are there who shall confirm. */
async function resetAlteredSystem({ log }: ApplyOptions, { node, server }: Configured): Promise<void> {
  const isKept = (name: string): boolean => node.upstream === null && name === SYNCHRONOUS_STANDBY_NAMES;
  const altered = server.alteredSystem.filter((name) => !isKept(name));
  if (altered.length === 0) return;
  log(`${node.name}: what ALTER SYSTEM has set is reset: ${altered.join(", ")}`);
  const resets = altered.map((name) => `ALTER SYSTEM RESET ${escapeIdentifier(name)};\n`);
  await runAsSuperuser(node, resets.join(""));
}

async function reload({ shape }: Pick<ApplyOptions, "shape">, node: ShapedNode): Promise<void> {
  await withOperator(node, shape.operator, async (client) => {
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
  });
}

async function needsRestart({ shape }: ApplyOptions, node: ShapedNode): Promise<boolean> {
  const server = await withOperator(node, shape.operator, observeServer);
  if (server.fileErrors.length === 0) return server.pendingRestart.length > 0;
  throw new OperationError(`the server refuses a line of its files:\n  ${server.fileErrors.join("\n  ")}`);
}

async function restart(options: ApplyOptions, node: ShapedNode): Promise<{ writeGapMs: number | null }> {
  const { shape, log, signal } = options;
  log(`${node.name} is restarted`);
  const stoppedAt = await restartServer(node, shape.operator, signal);
  const upstream = shape.nodes.find((other) => other.name === node.upstream);
  if (upstream !== undefined) {
    await untilStreaming(options, upstream, [node]);
    return { writeGapMs: null };
  }
  await writeOnce(node, shape.operator);
  return { writeGapMs: Math.round(performance.now() - stoppedAt) };
}

/** Puts the old files back, and lets the server run with them. */
async function goneBack(
  { shape, signal }: ApplyOptions,
  { node, found }: Configured,
  restarting: boolean,
  why: unknown,
): Promise<OperationError> {
  const failure = `${node.name} ${restarting ? "did not come back with" : "does not take"} its new files: ${messageOf(why)}`;
  try {
    await restoreFiles(node.serverFiles, found);
    if (why instanceof ServerEndedError) await restartEnding(node);
    else if (restarting) await engineOf(node).getContainer(node.container).restart();
    await waitUntilReady(node, shape.operator, signal);
    if (!restarting) await reload({ shape }, node);
    return new OperationError(
      `${failure}\nIts old files are back and it runs with them; no node after it was touched.`,
    );
  } catch (error) {
    return new OperationError(`${failure}\nWith its old files it does not run either: ${messageOf(error)}`);
  }
}

/** A standby that restarts with less than the primary had when it wrote the WAL in between refuses to start. */
async function replayedEverything(options: ApplyOptions, node: ShapedNode): Promise<void> {
  const { shape, signal } = options;
  const primary = primaryOf(shape);
  if (primary === undefined) return;
  await resumeReplay(options);
  const { lsn } = await withOperator(primary, shape.operator, (client) =>
    one<{ lsn: string }>(client, "SELECT pg_current_wal_lsn()::text AS lsn"),
  );
  await waitUntil({
    condition: `${node.name} to replay everything up to ${lsn}`,
    timeoutSeconds: REPLAY_TIMEOUT_SECONDS,
    signal,
    probe: () =>
      withOperator(node, shape.operator, async (client) => {
        const query = "SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS done";
        return (await one<{ done: boolean }>(client, query, [lsn])).done || undefined;
      }),
    seen: () => "it is still behind",
  });
}

/** A standby that was left paused holds its rows, and the WAL that it needs, back for ever. */
async function resumeReplay({ shape, log }: ApplyOptions): Promise<void> {
  await Promise.all(
    shape.nodes.map(async (node) => {
      const { replayPaused } = await withOperator(node, shape.operator, observeServer);
      if (!replayPaused) return;
      log(`${node.name}: replay is resumed`);
      await runAsSuperuser(node, "SELECT pg_wal_replay_resume();\n");
    }),
  );
}
