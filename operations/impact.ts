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

/**
 * What a change of the shape will do to the running servers, a line for each kind of work. Pure: what the servers said
 * is given.
 */
export function impactLines(before: readonly ShapedNode[], after: TopologyShape, live: BeforeChange): string[] {
  const changed = new Set(changedParameters(before, after.nodes));
  const known = live.parameters.filter((parameter) => changed.has(parameter.name));
  const restarting = known.filter((parameter) => parameter.context === "postmaster");
  const reloading = known.filter((parameter) => parameter.context !== "postmaster");
  return [
    ...restartLine(before, after, restarting),
    ...(reloading.length > 0 ? [`reload, 0 restarts: ${names(reloading)}`] : []),
    ...membershipLines(before, after.nodes, live.dataBytes),
  ];
}

function restartLine(
  before: readonly ShapedNode[],
  after: TopologyShape,
  restarting: readonly LiveParameter[],
): string[] {
  if (restarting.length === 0) return [];
  const staying = after.nodes.filter((node) => before.some((old) => old.name === node.name));
  const pending = new Map(staying.map((node) => [node.name, restarting.map((live) => pendingParameter(node, live))]));
  const order = restartOrder({ ...after, nodes: staying }, pending);
  return [`rolling restart: ${order.nodes.map((node) => node.name).join(", ")} (${names(restarting)})`];
}

const pendingParameter = (node: ShapedNode, live: LiveParameter): PendingParameter => ({
  name: live.name,
  running: live.value,
  pending: node.parameters[live.name] ?? live.defaultValue,
});

function membershipLines(before: readonly ShapedNode[], after: readonly ShapedNode[], dataBytes: number): string[] {
  const megabytes = Math.ceil(dataBytes / 1e6);
  const without = (nodes: readonly ShapedNode[], others: readonly ShapedNode[]): ShapedNode[] =>
    nodes.filter((node) => !others.some((other) => other.name === node.name));
  return [
    ...without(after, before).map((node) => `${node.name} joins: base backup of ${megabytes} MB from ${node.upstream}`),
    ...without(before, after).map(
      (node) => `${node.name} leaves: its container, slot and volumes are removed, with its data`,
    ),
  ];
}

const names = (parameters: readonly LiveParameter[]): string =>
  parameters
    .map((parameter) => parameter.name)
    .toSorted()
    .join(", ");
