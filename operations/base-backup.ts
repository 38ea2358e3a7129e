import type pg from "pg";
import { readRenewedCertificate } from "./certificate-refusal.ts";
import { engineOf } from "./engine.ts";
import { JobFailedError, runJob } from "./job.ts";
import type { JobMount } from "./job.ts";
import type { Node } from "./node.ts";
import { readPgControl } from "./pg-control.ts";
import { dropSlot, reserveSlot } from "./slots.ts";
import { withOperator } from "./sql.ts";
import type { OperatorCredentials } from "./sql.ts";
import { waitUntil } from "./wait-until.ts";

export interface BaseBackup {
  /** The node that is made a standby. */
  readonly node: Node;
  /** The name of its container, and what its connections call themselves. */
  readonly job: string;
  readonly image: string;
  /** Of the cluster. */
  readonly systemIdentifier: string;
  /** PGDATA of the node. */
  readonly dataDirectory: string;
  /** Rendered from config-templates/base-backup.sh. */
  readonly script: string;
  readonly mounts: readonly JobMount[];
  readonly network: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The node that is copied, and that the copy will stream from. */
  readonly upstream: Node;
  readonly slot: string;
  readonly operator: OperatorCredentials;
  readonly onProgress: (progress: BaseBackupProgress) => void;
  readonly signal?: AbortSignal;
}

export interface BaseBackupProgress {
  /** As pg_stat_progress_basebackup names them, for example "streaming database files". */
  readonly phase: string;
  readonly streamedBytes: number;
  /** null while PostgreSQL still estimates it. */
  readonly totalBytes: number | null;
}

const SLOT_FREE_TIMEOUT_SECONDS = 30;
/** PostgreSQL cuts longer ones off. */
const APPLICATION_NAME_BYTES = 63;

/**
 * Clones the upstream into an empty data volume, or finds that it holds a node of the same cluster already.
 * @returns "cloned", or "adopted" for data that was there.
 */
export async function takeBaseBackup(order: BaseBackup): Promise<"cloned" | "adopted"> {
  if (await hasData(order)) return "adopted";
  await readRenewedCertificate(order.upstream, order.operator);
  return withOperator(order.upstream, order.operator, async (client) => {
    const slotIsNew = await reserveSlot(client, order.slot);
    try {
      await untilNoJobHoldsTheSlot(client, order);
      return await runBaseBackupJob(order, client);
    } catch (error) {
      if (slotIsNew && error instanceof JobFailedError) await dropUnusedSlot(client, order);
      throw error;
    }
  });
}

/** Of a node that has a container no job is needed to tell: writes may be waiting for an old primary to be seen to. */
async function hasData({ node, dataDirectory, systemIdentifier }: BaseBackup): Promise<boolean> {
  const control = await readPgControl(engineOf(node), node.container, dataDirectory);
  return control?.systemIdentifier === systemIdentifier;
}

async function runBaseBackupJob(order: BaseBackup, client: pg.Client): Promise<"cloned" | "adopted"> {
  const output = await runJob(engineOf(order.node), {
    name: order.job,
    image: order.image,
    script: order.script,
    mounts: order.mounts,
    network: order.network,
    labels: order.labels,
    signal: order.signal,
    onProgress: async () => {
      const progress = await baseBackupProgress(client, order.job);
      if (progress !== undefined) order.onProgress(progress);
    },
  });
  return output.includes("adopted") ? "adopted" : "cloned";
}

/**
 * The state knows nothing of a standby whose clone failed: if it is taken out of the stack file now, nobody else would
 * drop its slot, which keeps WAL.
 */
async function dropUnusedSlot(client: pg.Client, order: BaseBackup): Promise<void> {
  try {
    await untilNoJobHoldsTheSlot(client, order);
    await dropSlot(client, order.slot);
  } catch {
    // The failure of the clone is what has to be told; a next clone takes the slot as it is.
  }
}

/**
 * The sender of a job that was killed holds the slot until it notices. A standby whose volume was filled by an
 * interrupted update is up by now, and holds it rightly.
 */
async function untilNoJobHoldsTheSlot(client: pg.Client, order: BaseBackup): Promise<void> {
  await waitUntil({
    condition: `slot ${order.slot} on ${order.upstream.name} to be free`,
    timeoutSeconds: SLOT_FREE_TIMEOUT_SECONDS,
    signal: order.signal,
    probe: async () => {
      const { rowCount } = await client.query(
        `SELECT FROM pg_catalog.pg_replication_slots AS slot
         JOIN pg_catalog.pg_stat_replication AS sender ON sender.pid = slot.active_pid
         WHERE slot.slot_name = $1 AND sender.application_name = left($2, ${APPLICATION_NAME_BYTES})`,
        [order.slot, order.job],
      );
      return rowCount === 0 ? true : undefined;
    },
    seen: () => "an earlier base backup still streams from it",
  });
}

async function baseBackupProgress(client: pg.Client, job: string): Promise<BaseBackupProgress | undefined> {
  const { rows } = await client.query<{ phase: string; streamed: string; total: string | null }>(
    `SELECT phase, backup_streamed AS streamed, backup_total AS total
     FROM pg_catalog.pg_stat_progress_basebackup JOIN pg_catalog.pg_stat_replication USING (pid)
     WHERE application_name = left($1, ${APPLICATION_NAME_BYTES})`,
    [job],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  return {
    phase: row.phase,
    streamedBytes: Number(row.streamed),
    totalBytes: row.total === null ? null : Number(row.total),
  };
}
