import { OperationError } from "./errors.ts";
import type { PendingParameter } from "./observe.ts";
import { primaryOf, standbysOf } from "./topology.ts";
import type { ShapedNode, TopologyShape } from "./topology.ts";

/** A standby refuses to run with less of these than the primary had (PostgreSQL, "Hot Standby": administration). */
const HOT_STANDBY_PARAMETERS = new Set([
  "max_connections",
  "max_worker_processes",
  "max_wal_senders",
  "max_prepared_transactions",
  "max_locks_per_transaction",
]);

export interface RestartOrder {
  /** The nodes to restart, one after the other. */
  readonly nodes: readonly ShapedNode[];
  /** A standby may restart only once it has replayed the primary's own change of these parameters. */
  readonly primaryFirst: boolean;
}

/**
 * Standbys first and the primary last, so that a standby never has less than the primary; the other way round where
 * one of these parameters shrinks.
 * @throws OperationError when one grows and another shrinks, or when one shrinks while a standby applies changes late:
 * no order is right then.
 */
export function restartOrder(
  shape: TopologyShape,
  pendingOf: ReadonlyMap<string, readonly PendingParameter[]>,
): RestartOrder {
  const pending = [...pendingOf.values()].flat().filter((parameter) => HOT_STANDBY_PARAMETERS.has(parameter.name));
  const shrinking = pending.filter((parameter) => Number(parameter.pending) < Number(parameter.running));
  const growing = pending.filter((parameter) => Number(parameter.pending) > Number(parameter.running));
  if (shrinking.length > 0 && growing.length > 0) {
    throw new OperationError(
      `${names(growing)} grows while ${names(shrinking)} shrinks: standbys must restart first for one and last for the other. Make the two changes in two updates.`,
    );
  }
  const primaryFirst = shrinking.length > 0;
  if (primaryFirst) refuseUnderDelay(shape, shrinking);
  const primary = [primaryOf(shape)].flatMap((node) => node ?? []);
  const ordered = primaryFirst ? [...primary, ...standbysOf(shape)] : [...standbysOf(shape), ...primary];
  return { nodes: ordered.filter((node) => (pendingOf.get(node.name)?.length ?? 0) > 0), primaryFirst };
}

/** A delayed standby has yet to replay what the primary wrote with more, and until then it does not start with less. */
function refuseUnderDelay(shape: TopologyShape, shrinking: readonly PendingParameter[]): void {
  for (const { name, parameters } of standbysOf(shape)) {
    const delay = parameters["recovery_min_apply_delay"];
    if (delay === undefined) continue;
    throw new OperationError(
      `${names(shrinking)} shrinks, and ${name} applies changes ${delay} late: until then it could not start with less. Nothing was restarted. Set the old value again, or take applyDelay from ${name} in an update before this one.`,
    );
  }
}

const names = (parameters: readonly PendingParameter[]): string =>
  [...new Set(parameters.map((parameter) => parameter.name))].join(", ");
