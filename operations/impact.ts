import type pg from "pg";
import { restartOrder } from "./restart-order.ts";
import type { PendingParameter } from "./observe.ts";
import type { ShapedNode, TopologyShape } from "./topology.ts";

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
  readonly parameters: readonly LiveParameter[];
  /** Of all databases together: what a base backup copies. */
  readonly dataBytes: number;
}

export async function askBeforeChange(client: pg.Client, names: readonly string[]): Promise<BeforeChange> {
  const parameters = await client.query<{ name: string; context: string; value: string; default_value: string }>(
    "SELECT name, context, current_setting(name) AS value, coalesce(boot_val, '') AS default_value FROM pg_settings WHERE name = ANY($1)",
    [[...names]],
  );
  const size = await client.query<{ bytes: string }>("SELECT sum(pg_database_size(oid)) AS bytes FROM pg_database");
  return {
    parameters: parameters.rows.map((row) => ({ ...row, defaultValue: row.default_value })),
    dataBytes: Number(size.rows[0]?.bytes ?? 0),
  };
}

/** Names of parameters that any node gets, loses or gets another value of. */
export function changedParameters(before: readonly ShapedNode[], after: readonly ShapedNode[]): string[] {
  const names = after.flatMap((node) => {
    const old = before.find((other) => other.name === node.name)?.parameters;
    return old === undefined ? [] : changedKeys(old, node.parameters);
  });
  return [...new Set(names)].toSorted();
}

const changedKeys = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): string[] =>
  Object.keys({ ...a, ...b }).filter((key) => a[key] !== b[key]);

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
 * What a change of the shape will do to the running servers, one for each kind of work. Pure: what the servers said is
 * given.
 * @param measuredGapMilliseconds of the last restart of the primary; null: there was none.
 */
export function impacts(
  before: readonly ShapedNode[],
  after: TopologyShape,
  live: BeforeChange,
  measuredGapMilliseconds: number | null,
): Impact[] {
  const changed = new Set(changedParameters(before, after.nodes));
  const known = live.parameters.filter((parameter) => changed.has(parameter.name));
  const restarting = known.filter((parameter) => parameter.context === "postmaster");
  const reloading = known.filter((parameter) => parameter.context !== "postmaster").map(({ name }) => name);
  return [
    ...restart(before, after, restarting, measuredGapMilliseconds ?? EXPECTED_WRITE_GAP_MILLISECONDS),
    ...reload(after.nodes, [...reloading.toSorted(), ...(rulesChanged(before, after.nodes) ? ["access rules"] : [])]),
    ...membership(before, after.nodes, live.dataBytes),
  ];
}

/** Files of parameters change with the parameters; what else is in them is the rules of access. */
function rulesChanged(before: readonly ShapedNode[], after: readonly ShapedNode[]): boolean {
  const rules = (node: ShapedNode | undefined): string | undefined =>
    node?.serverFiles.files.find(({ path }) => path.endsWith("/pg_hba.conf"))?.content;
  return after.some((node) => {
    const old = before.find((other) => other.name === node.name);
    return old !== undefined && rules(old) !== rules(node);
  });
}

function reload(nodes: readonly ShapedNode[], what: readonly string[]): Impact[] {
  if (what.length === 0) return [];
  const message = `reload, 0 restarts: ${what.join(", ")}`;
  return [{ level: "reload", nodes: nodes.map((node) => node.name), message }];
}

function restart(
  before: readonly ShapedNode[],
  after: TopologyShape,
  restarting: readonly LiveParameter[],
  gapMilliseconds: number,
): Impact[] {
  if (restarting.length === 0) return [];
  const staying = after.nodes.filter((node) => before.some((old) => old.name === node.name));
  const pending = new Map(staying.map((node) => [node.name, restarting.map((live) => pendingParameter(node, live))]));
  const order = restartOrder({ ...after, nodes: staying }, pending).nodes;
  const nodes = order.map((node) => node.name);
  const gap = order.some((node) => node.upstream === null) ? `; write gap about ${seconds(gapMilliseconds)} s` : "";
  const message = `rolling restart: ${nodes.join(", ")} (${names(restarting)})${gap}`;
  return [{ level: "restart", nodes, message }];
}

const seconds = (milliseconds: number): string => String(Math.max(1, Math.round(milliseconds / 100)) / 10);

const pendingParameter = (node: ShapedNode, live: LiveParameter): PendingParameter => ({
  name: live.name,
  running: live.value,
  pending: node.parameters[live.name] ?? live.defaultValue,
});

function membership(before: readonly ShapedNode[], after: readonly ShapedNode[], dataBytes: number): Impact[] {
  const megabytes = Math.ceil(dataBytes / 1e6);
  const without = (nodes: readonly ShapedNode[], others: readonly ShapedNode[]): ShapedNode[] =>
    nodes.filter((node) => !others.some((other) => other.name === node.name));
  const joins = without(after, before).map(({ name, upstream }): Impact => {
    return {
      level: "reload",
      nodes: [name],
      message: `${name} joins: base backup of ${megabytes} MB from ${upstream}`,
    };
  });
  const leaves = without(before, after).map(({ name }): Impact => {
    const message = `${name} leaves: its container, slot and volumes are removed, with its data`;
    return { level: "restart", nodes: [name], message };
  });
  return [...joins, ...leaves];
}

const names = (parameters: readonly LiveParameter[]): string =>
  parameters
    .map((parameter) => parameter.name)
    .toSorted()
    .join(", ");
