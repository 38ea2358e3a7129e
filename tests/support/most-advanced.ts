const RECEIVED_BYTES = "SELECT greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) - '0/0'::pg_lsn";

/**
 * Of standbys the one that has received the most.
 * @param ask Runs a query on a node, as the superuser.
 */
export async function mostAdvanced<N extends string>(
  standbys: readonly N[],
  ask: (node: N, sql: string) => Promise<string>,
): Promise<N> {
  const received = await Promise.all(
    standbys.map(async (name) => ({ name, bytes: BigInt(await ask(name, RECEIVED_BYTES)) })),
  );
  const [best] = received.toSorted((a, b) => (b.bytes > a.bytes ? 1 : -1));
  if (best === undefined) throw new Error("there is no standby");
  return best.name;
}
