import type Docker from "dockerode";
import type pg from "pg";
import { escapeLiteral } from "pg";
import { OperationError } from "./errors.ts";
import type { Node } from "./node.ts";
import { runAsSuperuser } from "./superuser.ts";

/** A physical replication slot as a server has it. */
export interface Slot {
  readonly name: string;
  readonly active: boolean;
  /** The oldest WAL position that it keeps; null: it is not reserved and keeps nothing. */
  readonly restartLsn: string | null;
}

export async function physicalSlots(client: pg.Client): Promise<Slot[]> {
  const { rows } = await client.query<{ name: string; active: boolean; restart_lsn: string | null }>(
    `SELECT slot_name AS name, active, restart_lsn FROM pg_catalog.pg_replication_slots WHERE slot_type = 'physical'`,
  );
  return rows.map((row) => ({ name: row.name, active: row.active, restartLsn: row.restart_lsn }));
}

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

/** A sender ends at once when it is told to, unless it is in the middle of writing to a connection that hangs. */
const SENDER_END_TIMEOUT_MILLISECONDS = 5000;

/**
 * Drops a slot on every node that answers. Its standby is gone for good, so that whatever still holds the slot is
 * ended: a sender that has not noticed yet, or somebody's tool. A node that does not answer keeps the slot.
 */
export async function dropSlotEverywhere(docker: Docker, nodes: readonly Node[], name: string): Promise<void> {
  const slot = `pg_replication_slots WHERE slot_name = ${escapeLiteral(name)}`;
  const script = `SELECT pg_terminate_backend(active_pid, ${SENDER_END_TIMEOUT_MILLISECONDS}) FROM ${slot} AND active;
SELECT pg_drop_replication_slot(slot_name) FROM ${slot} AND NOT active;
`;
  const drops = await Promise.allSettled(nodes.map((node) => runAsSuperuser(docker, node, script)));
  for (const drop of drops) {
    if (drop.status === "rejected" && !(drop.reason instanceof OperationError)) throw drop.reason;
  }
}
