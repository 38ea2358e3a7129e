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
  readonly afterReplay: boolean;
}

/**
 * Standbys first and the primary last, so that a standby never has less than the primary; the other way round where
 * one of these parameters shrinks on the primary. What an unfinished update left on standbys alone goes by the primary
 * too, which then stays as it is.
 * @throws OperationError when one grows and another shrinks, or when one shrinks while a standby applies changes late:
 * no order is right then.
 */
export function restartOrder(
  shape: TopologyShape,
  pendingOf: ReadonlyMap<string, readonly PendingParameter[]>,
): RestartOrder {
  const primary = primaryOf(shape);
  const onPrimary = relevant(pendingOf.get(primary?.name ?? ""));
  const settled = relevant([...pendingOf.values()].flat()).filter(
    ({ name }) => !onPrimary.some((parameter) => parameter.name === name),
  );
  const [growing, shrinking] = [onPrimary.filter(grows), onPrimary.filter(shrinks)];
  if (shrinking.length > 0 && growing.length > 0) {
    throw new OperationError(
      `${names(growing)} grows while ${names(shrinking)} shrinks: standbys must restart first for one and last for the other. Make the two changes in two updates.`,
    );
  }
  const replayed = [...shrinking, ...settled.filter(shrinks)];
  if (replayed.length > 0) refuseUnderDelay(shape, replayed);
  const first = primary === undefined ? [] : [primary];
  const ordered = shrinking.length > 0 ? [...first, ...standbysOf(shape)] : [...standbysOf(shape), ...first];
  const nodes = ordered.filter((node) => (pendingOf.get(node.name)?.length ?? 0) > 0);
  return { nodes, afterReplay: replayed.length > 0 };
}

const relevant = (pending: readonly PendingParameter[] = []): PendingParameter[] =>
  pending.filter(({ name }) => HOT_STANDBY_PARAMETERS.has(name));

const grows = ({ pending, running }: PendingParameter): boolean => Number(pending) > Number(running);
const shrinks = ({ pending, running }: PendingParameter): boolean => Number(pending) < Number(running);

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
