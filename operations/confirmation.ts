import { one, withOperator } from "./sql.ts";
import { SYNCHRONOUS_STANDBY_NAMES, parseSynchronousStandbys } from "./synchronous.ts";
import { primaryOf } from "./topology.ts";
import type { TopologyShape } from "./topology.ts";
import { waitUntil } from "./wait-until.ts";

const TIMEOUT_SECONDS = 60;

/** Standbys that have a position on disk and are waited for. */
const CONFIRMING = `
SELECT count(*)::int AS count FROM pg_stat_replication
WHERE flush_lsn >= $1::pg_lsn AND sync_state <> 'async' AND (application_name = ANY($2) OR '*' = ANY($2))`;

/**
 * Waits until as many standbys as commits shall wait for have everything that the primary has committed up to now, also
 * what it did not wait for when it was. From then on "synchronous" is true of all that is there.
 * @throws OperationError where too few do.
 */
export async function untilAllIsConfirmed(shape: TopologyShape, signal?: AbortSignal): Promise<void> {
  const primary = primaryOf(shape);
  const wanted = parseSynchronousStandbys(primary?.parameters[SYNCHRONOUS_STANDBY_NAMES] ?? "");
  if (primary === undefined || wanted === undefined) return;
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
