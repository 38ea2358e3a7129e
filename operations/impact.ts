import { escapeLiteral } from "pg";
import type pg from "pg";
import { isCertificateRefusal } from "./certificate-refusal.ts";
import { silentHosts } from "./engine.ts";
import { OperationError, noAnswer } from "./errors.ts";
import type { Node } from "./node.ts";
import { ALTERED_SYSTEM } from "./observe.ts";
import type { PendingParameter } from "./observe.ts";
import { restartOrder } from "./restart-order.ts";
import { fileChange } from "./server-files.ts";
import type { FileChange } from "./server-files.ts";
import { one, withOperator } from "./sql.ts";
import type { OperatorCredentials } from "./sql.ts";
import { runAsSuperuser } from "./superuser.ts";
import type { ShapedNode, TopologyShape } from "./topology.ts";
import { readVolumeFiles } from "./volume-files.ts";
import { cloneInWords } from "./wording.ts";

/** What a live server says of one parameter (PostgreSQL, "pg_settings"). */
export interface LiveParameter {
  readonly name: string;
  /** postmaster: only a restart makes a new value effective. */
  readonly context: string;
  readonly value: string;
  /** What holds where no file sets it. */
  readonly defaultValue: string;
}

/** What a live topology says before a change of it. */
export interface BeforeChange {
  /** Of the nodes that stay: what their files have yet to become. */
  readonly changes: ReadonlyMap<string, FileChange>;
  /** Of the nodes that answer: the parameters that change, and those that ALTER SYSTEM has set. */
  readonly parameters: ReadonlyMap<string, readonly LiveParameter[]>;
  /** Of all databases together: what a base backup copies. */
  readonly dataBytes: number;
  /** Names of hosts whose engines do not answer. */
  readonly silentHosts: ReadonlySet<string>;
}

/**
 * Looks at the files and the servers themselves: what an update that did not come to its end has changed, no state
 * tells.
 * @param before the nodes as the last update left them.
 */
export async function lookBeforeChange(
  before: readonly ShapedNode[],
  after: TopologyShape,
  read: typeof readVolumeFiles = readVolumeFiles,
): Promise<BeforeChange> {
  const staying = after.nodes.flatMap((node) => {
    const old = before.find(({ name }) => name === node.name);
    return old === undefined ? [] : [{ node, old }];
  });
  const changes = await Promise.all(
    staying.map(async ({ node, old }) => [node.name, await changeOfFiles(old, node, read)] as const),
  );
  const names = [...new Set(changes.flatMap(([, { parameters }]) => parameters))];
  const answers = await Promise.all(
    before.map(async (node) => {
      const answer = await askServer(node, after.operator, names).catch(noAnswer);
      return { name: node.name, answer };
    }),
  );
  const heard = answers.flatMap(({ name, answer }) => (answer === undefined ? [] : [{ name, ...answer }]));
  return {
    changes: new Map(changes),
    parameters: new Map(heard.map(({ name, parameters }) => [name, parameters])),
    dataBytes: heard[0]?.dataBytes ?? 0,
    silentHosts: await silentHosts(before),
  };
}

/** Where the volume cannot be read, the last update is believed. */
async function changeOfFiles(old: ShapedNode, node: ShapedNode, read: typeof readVolumeFiles): Promise<FileChange> {
  const told = new Map(old.serverFiles.files.map((file) => [file.path, { ...file, uid: old.serverFiles.uid }]));
  const found = await read(old.serverFiles, old.container).catch(() => told);
  return fileChange(node.serverFiles, found.size === 0 ? told : found);
}

interface ServerAnswer {
  readonly parameters: readonly LiveParameter[];
  readonly dataBytes: number;
}

const question = (names: readonly string[]): string => `SELECT json_build_object(
  'parameters', (SELECT coalesce(json_agg(json_build_object('name', name, 'context', context,
      'value', current_setting(name), 'defaultValue', coalesce(boot_val, ''))), '[]')
    FROM pg_settings WHERE name IN (${[...names, ""].map((name) => escapeLiteral(name)).join(", ")})
      OR name IN (SELECT altered.name FROM (${ALTERED_SYSTEM}) AS altered)),
  'dataBytes', (SELECT coalesce(sum(pg_database_size(oid)), 0) FROM pg_database)) AS answer`;

async function askServer(node: Node, operator: OperatorCredentials, names: readonly string[]): Promise<ServerAnswer> {
  const query = question(names);
  try {
    const ask = (client: pg.Client): Promise<{ answer: ServerAnswer }> => one(client, query);
    return (await withOperator(node, operator, ask)).answer;
  } catch (error) {
    if (!isCertificateRefusal(error)) throw error;
    return JSON.parse(await runAsSuperuser(node, `${query};\n`)) as ServerAnswer;
  }
}

/** How much clients notice, weakest first; "unknown": no server could be asked. */
export const IMPACT_LEVELS = ["none", "reload", "restart", "switchover", "unknown", "refused"] as const;
export type ImpactLevel = (typeof IMPACT_LEVELS)[number];

/** Something that an update will do to live servers. */
export interface Impact {
  readonly level: ImpactLevel;
  /** The nodes that it concerns, in the order in which their turn comes. */
  readonly nodes: readonly string[];
  /** The same in words. */
  readonly message: string;
}

/** What was expected of the restart of a primary before any was measured. */
const EXPECTED_WRITE_GAP_MILLISECONDS = 1000;

/**
 * What an update will do to the running servers, one for each kind of work. Pure: what they said is given.
 * @param measuredGapMilliseconds of the last restart of the primary; null: there was none.
 */
export function impacts(
  before: readonly ShapedNode[],
  after: TopologyShape,
  live: BeforeChange,
  measuredGapMilliseconds: number | null,
): Impact[] {
  const staying = after.nodes.filter((node) => live.changes.has(node.name));
  const restarting = new Map(staying.map((node) => [node.name, restartingOn(node, live)]));
  const changed = [...live.changes].filter(([, change]) => change.parameters.length > 0 || change.accessRules);
  const reloading = new Set(changed.flatMap(([, { parameters }]) => parameters).filter((name) => !isFixed(name, live)));
  const rules = changed.some(([, { accessRules }]) => accessRules) ? ["access rules"] : [];
  const reloaded = staying.filter((node) => changed.some(([name]) => name === node.name));
  return [
    ...restart({ ...after, nodes: staying }, restarting, measuredGapMilliseconds ?? EXPECTED_WRITE_GAP_MILLISECONDS),
    ...reload(reloaded, [...[...reloading].toSorted(), ...rules]),
    ...joins(before, after.nodes, live.dataBytes),
    ...leaves(before, after.nodes, live.silentHosts),
  ];
}

/** All servers are of one major: what a parameter takes, any of them knows. undefined: none does. */
const contextOf = (name: string, { parameters }: BeforeChange): LiveParameter | undefined =>
  [...parameters.values()].flat().find((parameter) => parameter.name === name);

/** Whether only a restart changes it. One that no server knows is of an extension that is yet to be loaded. */
const isFixed = (name: string, live: BeforeChange): boolean => contextOf(name, live)?.context === "postmaster";

/** What a server runs with, and only a restart changes. One that does not answer is believed to run with its files. */
function restartingOn(node: ShapedNode, live: BeforeChange): PendingParameter[] {
  const own = live.parameters.get(node.name);
  const names = new Set([...(live.changes.get(node.name)?.parameters ?? []), ...(own ?? []).map(({ name }) => name)]);
  return [...names].flatMap((name) => {
    const known = own?.find((parameter) => parameter.name === name) ?? contextOf(name, live);
    if (known?.context !== "postmaster") return [];
    const pending = node.parameters[name] ?? known.defaultValue;
    return own !== undefined && known.value === pending ? [] : [{ name, running: known.value, pending }];
  });
}

function reload(nodes: readonly ShapedNode[], what: readonly string[]): Impact[] {
  if (what.length === 0) return [];
  const message = `reload, 0 restarts: ${what.join(", ")}`;
  return [{ level: "reload", nodes: nodes.map((node) => node.name), message }];
}

function restart(
  shape: TopologyShape,
  pending: ReadonlyMap<string, readonly PendingParameter[]>,
  gapMilliseconds: number,
): Impact[] {
  const order = orderOrRefusal(shape, pending);
  if (typeof order === "string") {
    const waiting = [...pending].filter(([, parameters]) => parameters.length > 0);
    return [{ level: "refused", nodes: waiting.map(([name]) => name), message: order }];
  }
  if (order.length === 0) return [];
  const nodes = order.map((node) => node.name);
  const names = new Set([...pending.values()].flat().map(({ name }) => name));
  const gap = order.some((node) => node.upstream === null) ? `; write gap about ${seconds(gapMilliseconds)} s` : "";
  const message = `rolling restart: ${nodes.join(", ")} (${[...names].toSorted().join(", ")})${gap}`;
  return [{ level: "restart", nodes, message }];
}

/** @returns why the update will refuse to restart anything, where no order is right. */
function orderOrRefusal(
  shape: TopologyShape,
  pending: ReadonlyMap<string, readonly PendingParameter[]>,
): readonly ShapedNode[] | string {
  try {
    return restartOrder(shape, pending).nodes;
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return error.message;
  }
}

const seconds = (milliseconds: number): string => String(Math.max(1, Math.round(milliseconds / 100)) / 10);

const without = (nodes: readonly ShapedNode[], others: readonly ShapedNode[]): ShapedNode[] =>
  nodes.filter((node) => !others.some((other) => other.name === node.name));

function joins(before: readonly ShapedNode[], after: readonly ShapedNode[], dataBytes: number): Impact[] {
  return without(after, before).map(({ name, upstream }) => {
    const message = `${name} joins: base backup of ${cloneInWords(dataBytes)}, from ${upstream}`;
    return { level: "reload", nodes: [name], message };
  });
}

function leaves(before: readonly ShapedNode[], after: readonly ShapedNode[], silent: ReadonlySet<string>): Impact[] {
  return without(before, after).map(({ name, container, host }) => {
    const message =
      host !== undefined && silent.has(host.name)
        ? `${name} leaves: its slot is removed. The container ${container}, its volumes and its network stay on ${host.name}, which does not answer: the update fails at them and at nothing else, and another one removes them once ${host.name} is back. If it is gone for good, \`npm run recover\` with \`--forget-host ${host.name}\` lets the state forget them.`
        : `${name} leaves: its container, slot and volumes are removed, with its data`;
    return { level: "restart", nodes: [name], message };
  });
}
