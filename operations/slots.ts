import type pg from "pg";
import { escapeLiteral } from "pg";
import { OperationError } from "./errors.ts";
import type { Node } from "./node.ts";
import { runAsSuperuser, runOnWritableNode } from "./superuser.ts";

/** A physical replication slot as a server has it. */
export interface Slot {
  readonly name: string;
  readonly active: boolean;
  /** The oldest WAL position that it keeps; null: it is not reserved and keeps nothing. */
  readonly restartLsn: string | null;
  /** WAL that it keeps, up to now; null: it keeps nothing. */
  readonly retainedBytes: number | null;
  /** What a base backup would copy, where WAL that the slot had to keep is gone; null: nothing is gone. */
  readonly lostCloneBytes: number | null;
  /**
   * How long until a slot that nobody uses has more to keep than `max_slot_wal_keep_size`, at the rate since it was last
   * used; null: it is in use, keeps nothing, or the server does not say (before PostgreSQL 17).
   */
  readonly secondsUntilLost: number | null;
  /** What may still be written before it has more to keep than that; null: it keeps nothing, or there is no limit. */
  readonly bytesUntilLost: number | null;
}

export interface SlotRow {
  readonly name: string;
  readonly active: boolean;
  readonly restart_lsn: string | null;
  readonly retained_bytes: string | null;
  readonly clone_bytes: string | null;
  readonly seconds_until_lost: number | null;
  readonly bytes_until_lost: string | null;
}

/** A column that older servers do not have is null by way of to_jsonb. */
export const SLOTS = `
SELECT slot_name AS name, active, restart_lsn,
       pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
                       restart_lsn)::bigint::text AS retained_bytes,
       CASE WHEN wal_status = 'lost' THEN (SELECT sum(pg_database_size(oid)) FROM pg_catalog.pg_database) END AS clone_bytes,
       CASE WHEN NOT active AND NOT pg_is_in_recovery() THEN
         greatest(safe_wal_size, 0) * extract(epoch FROM now() - (to_jsonb(slot) ->> 'inactive_since')::timestamptz)
         / nullif(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)
       END::float8 AS seconds_until_lost,
       greatest(safe_wal_size, 0)::text AS bytes_until_lost
FROM pg_catalog.pg_replication_slots AS slot WHERE slot_type = 'physical'`;

export async function physicalSlots(client: pg.Client): Promise<Slot[]> {
  const { rows } = await client.query<SlotRow>(SLOTS);
  return rows.map(slotOf);
}

export const slotOf = (row: SlotRow): Slot => ({
  name: row.name,
  active: row.active,
  restartLsn: row.restart_lsn,
  retainedBytes: row.retained_bytes === null ? null : Math.max(0, Number(row.retained_bytes)),
  lostCloneBytes: row.clone_bytes === null ? null : Number(row.clone_bytes),
  secondsUntilLost: row.seconds_until_lost,
  bytesUntilLost: row.bytes_until_lost === null ? null : Number(row.bytes_until_lost),
});

/**
 * Makes a slot that keeps WAL from this moment on. Without immediate reservation a slot keeps nothing until a standby
 * first connects, and what the standby needs may be gone by then.
 * @returns whether it was made: one that keeps WAL already stays as it is.
 */
export async function reserveSlot(client: pg.Client, name: string): Promise<boolean> {
  const existing = (await physicalSlots(client)).find((slot) => slot.name === name);
  if (existing !== undefined && existing.restartLsn !== null) return false;
  if (existing !== undefined) await dropSlot(client, name);
  await client.query("SELECT pg_catalog.pg_create_physical_replication_slot($1, true)", [name]);
  return true;
}

export async function reserveSlots(client: pg.Client, names: readonly string[]): Promise<void> {
  for (const name of names) await reserveSlot(client, name);
}

/**
 * Makes a slot that keeps no WAL: it waits on a node that is no upstream now, for the day on which it is promoted.
 * One that keeps WAL for nobody is made anew.
 */
export async function keepSlotUnreserved(client: pg.Client, name: string): Promise<void> {
  const existing = (await physicalSlots(client)).find((slot) => slot.name === name);
  if (existing?.active || (existing !== undefined && existing.restartLsn === null)) return;
  if (existing !== undefined) await dropSlot(client, name);
  await client.query("SELECT pg_catalog.pg_create_physical_replication_slot($1, false)", [name]);
}

/** A slot that is not there is no error; one that is in use is. */
export async function dropSlot(client: pg.Client, name: string): Promise<void> {
  await client.query(
    "SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM pg_catalog.pg_replication_slots WHERE slot_name = $1",
    [name],
  );
}

/** Drops those that nobody uses: what still streams from one is stopped before its slot goes. */
export async function dropIdleSlots(client: pg.Client, names: readonly string[]): Promise<void> {
  await client.query(
    "SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM pg_catalog.pg_replication_slots WHERE slot_name = ANY ($1) AND NOT active",
    [names],
  );
}

/** A sender ends at once when it is told to, unless it is in the middle of writing to a connection that hangs. */
const SENDER_END_TIMEOUT_MILLISECONDS = 5000;

/**
 * Drops a slot on every node that answers. Its standby is gone for good, so that whatever still holds the slot is
 * ended: a sender that has not noticed yet, or somebody's tool. A node that does not answer keeps the slot.
 */
export async function dropSlotEverywhere(nodes: readonly Node[], name: string): Promise<void> {
  const slot = `pg_replication_slots WHERE slot_name = ${escapeLiteral(name)}`;
  const script = `SELECT pg_terminate_backend(active_pid, ${SENDER_END_TIMEOUT_MILLISECONDS}) FROM ${slot} AND active;
SELECT pg_drop_replication_slot(slot_name) FROM ${slot} AND NOT active;
`;
  const drops = await Promise.allSettled(nodes.map((node) => runAsSuperuser(node, script)));
  for (const drop of drops) {
    if (drop.status === "rejected" && !(drop.reason instanceof OperationError)) throw drop.reason;
  }
}

/** Has the primary keep WAL from this moment on, for whoever streams from a slot, and none from before. */
export async function reserveAnew(nodes: readonly Node[], name: string): Promise<void> {
  const slot = `pg_replication_slots WHERE slot_name = ${escapeLiteral(name)}`;
  const script = `SELECT pg_terminate_backend(active_pid, ${SENDER_END_TIMEOUT_MILLISECONDS}) FROM ${slot} AND active;
SELECT pg_drop_replication_slot(slot_name) FROM ${slot} AND NOT active;
SELECT pg_create_physical_replication_slot(${escapeLiteral(name)}, true) WHERE NOT EXISTS (SELECT FROM ${slot});
`;
  await runOnWritableNode(nodes, script);
}
