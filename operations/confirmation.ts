import { one, withOperator } from "./sql.ts";
import { parseSynchronousStandbys, wantedNames } from "./synchronous.ts";
import type { SynchronousStandbys } from "./synchronous.ts";
import { primaryOf } from "./topology.ts";
import type { TopologyShape } from "./topology.ts";
import { waitUntil } from "./wait-until.ts";

const TIMEOUT_SECONDS = 60;

/** Standbys that have a position on disk and are waited for. */
const CONFIRMING = `
SELECT count(*)::int AS count FROM pg_stat_replication
WHERE flush_lsn >= $1::pg_lsn AND sync_state <> 'async' AND (application_name = ANY($2) OR '*' = ANY($2))`;

/** Who has to have what was committed, and how many of them. */
type Confirmation = Pick<SynchronousStandbys, "count" | "names">;

/**
 * What commits of the primary wait for among its standbys alone: a backup server that is named besides comes on top, and
 * may not be there yet. undefined: for none.
 */
export function standbyConfirmation(shape: TopologyShape): Confirmation | undefined {
  const primary = primaryOf(shape);
  const waitsFor = primary && parseSynchronousStandbys(wantedNames(primary));
  if (waitsFor === undefined) return undefined;
  const names = waitsFor.names.filter((name) => shape.nodes.some((node) => node.name === name));
  const count = waitsFor.count - (waitsFor.names.length - names.length);
  return count > 0 ? { count, names } : undefined;
}

/**
 * Waits until so many have everything that the primary has committed up to now, also what it did not wait for when it
 * was. From then on "synchronous" is true of all that is there.
 * @throws OperationError where too few do.
 */
export async function untilAllIsConfirmed(
  shape: TopologyShape,
  wanted: Confirmation,
  signal?: AbortSignal,
): Promise<void> {
  const primary = primaryOf(shape);
  if (primary === undefined) return;
  await withOperator(primary, shape.operator, async (client) => {
    const { lsn } = await one<{ lsn: string }>(client, "SELECT pg_current_wal_lsn()::text AS lsn");
    let confirming = 0;
    await waitUntil({
      condition: `${wanted.count} of ${wanted.names.join(", ")} to confirm what ${primary.name} has committed`,
      timeoutSeconds: TIMEOUT_SECONDS,
      signal,
      probe: async () => {
        confirming = (await one<{ count: number }>(client, CONFIRMING, [lsn, wanted.names])).count;
        return confirming >= wanted.count || undefined;
      },
      seen: () => `${confirming} confirm it`,
    });
  });
}
