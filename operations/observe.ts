import type Docker from "dockerode";
import type pg from "pg";
import { inspectContainer, lastLogLines } from "./engine.ts";
import { messageOf } from "./errors.ts";
import type { Node } from "./node.ts";
import { physicalSlots } from "./slots.ts";
import type { Slot } from "./slots.ts";
import { one, withOperator } from "./sql.ts";
import type { OperatorCredentials } from "./sql.ts";

/** What one node says of itself at one moment. */
export type NodeObservation =
  | { readonly name: string; readonly answers: true; readonly server: ServerObservation }
  | { readonly name: string; readonly answers: false; readonly container: ContainerState; readonly why: string };

/** held: its guard keeps the server from starting. */
export type ContainerState = "missing" | "stopped" | "paused" | "held" | "running";

export interface ServerObservation {
  readonly role: "primary" | "standby";
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** Written on a primary, received on a standby. */
  readonly walLsn: string;
  /** Replayed on a standby; the same as walLsn on a primary. */
  readonly replayLsn: string;
  readonly slots: readonly Slot[];
  /** Who streams from this node. */
  readonly senders: readonly WalSender[];
  /** Parameters whose value in the files waits for a restart. */
  readonly pendingRestart: readonly PendingParameter[];
  /** Lines of the configuration files that the server could not apply, in its own words. */
  readonly fileErrors: readonly string[];
  /** Parameters that ALTER SYSTEM has set: they win over every file. */
  readonly alteredSystem: readonly string[];
  /** Whether a standby holds back what it has received; not the delay of a delayed one. */
  readonly replayPaused: boolean;
  /** When a primary was promoted, as it says itself; null: it never was, or that is forgotten. */
  readonly promotedAt: string | null;
}

export interface PendingParameter {
  readonly name: string;
  readonly running: string;
  /** Of the files, or the default where no line is left. */
  readonly pending: string | null;
}

export interface WalSender {
  readonly applicationName: string;
  readonly state: string;
  readonly syncState: string;
  readonly slot: string | null;
  readonly ssl: boolean;
  readonly replayLagBytes: number | null;
}

/** Asks all nodes side by side. Nothing is thrown: a node that does not answer is an observation too. */
export function observeNodes(
  docker: Docker,
  nodes: readonly Node[],
  operator: OperatorCredentials,
): Promise<NodeObservation[]> {
  return Promise.all(nodes.map((node) => observeNode(docker, node, operator)));
}

async function observeNode(docker: Docker, node: Node, operator: OperatorCredentials): Promise<NodeObservation> {
  try {
    const server = await withOperator(docker, node, operator, observeServer);
    return { name: node.name, answers: true, server };
  } catch (error) {
    const container = await containerState(docker, node);
    return { name: node.name, answers: false, container, why: messageOf(error) };
  }
}

export async function containerState(docker: Docker, node: Node): Promise<ContainerState> {
  const container = await inspectContainer(docker, node.container);
  if (container === undefined) return "missing";
  if (container.State.Paused) return "paused";
  if (!container.State.Running) return "stopped";
  return isGuardRefusal(await lastLogLines(docker, node.container, 1)) ? "held" : "running";
}

/** As the guard words it, in config-templates/guard.sh. */
const isGuardRefusal = (logLine: string): boolean =>
  /^guard: \S+ (does not start as a primary|is fenced)/.test(logLine);

/** What the server behind a connection says of itself. */
export async function observeServer(client: pg.Client): Promise<ServerObservation> {
  const self = await one<SelfRow>(client, SELF);
  const senders = await client.query<SenderRow>(SENDERS);
  const files = await client.query<FileRow>(FILES);
  const altered = await client.query<{ name: string }>(ALTERED_SYSTEM);
  return {
    role: self.standby ? "standby" : "primary",
    systemIdentifier: self.system_identifier,
    timeline: self.timeline,
    walLsn: self.wal_lsn,
    replayLsn: self.replay_lsn,
    slots: await physicalSlots(client),
    senders: senders.rows.map(walSender),
    pendingRestart: self.pending_restart,
    fileErrors: files.rows.map((row) => `${row.sourcefile}:${row.sourceline}: ${row.name ?? ""} ${row.error}`),
    alteredSystem: altered.rows.map((row) => row.name),
    replayPaused: self.replay_paused,
    promotedAt: self.promoted_at,
  };
}

export interface SelfRow {
  standby: boolean;
  system_identifier: string;
  timeline: number;
  wal_lsn: string;
  replay_lsn: string;
  pending_restart: PendingParameter[];
  replay_paused: boolean;
  promoted_at: string | null;
}

/**
 * The timeline of a primary is in the name of its current WAL file: pg_control still names the old one right after a
 * promotion. A standby's is that of what it receives, or of its last restartpoint while it receives nothing.
 */
export const SELF = `
SELECT standby,
       (pg_control_system()).system_identifier::text AS system_identifier,
       CASE WHEN standby
            THEN coalesce((SELECT received_tli FROM pg_stat_wal_receiver), (pg_control_checkpoint()).timeline_id)
            ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int
       END AS timeline,
       CASE WHEN standby THEN coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn(), '0/0')
            ELSE pg_current_wal_lsn() END::text AS wal_lsn,
       CASE WHEN standby THEN coalesce(pg_last_wal_replay_lsn(), '0/0')
            ELSE pg_current_wal_lsn() END::text AS replay_lsn,
       (SELECT coalesce(json_agg(json_build_object('name', name, 'running', current_setting(name), 'pending', coalesce((
                  SELECT setting FROM pg_file_settings AS line
                  WHERE lower(line.name) = parameter.name ORDER BY seqno DESC LIMIT 1), boot_val)
                ) ORDER BY name), '[]')
          FROM pg_settings AS parameter WHERE pending_restart) AS pending_restart,
       CASE WHEN standby THEN pg_get_wal_replay_pause_state() <> 'not paused' ELSE false END AS replay_paused,
       CASE WHEN NOT standby
            THEN (SELECT to_char(modification AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"') FROM pg_ls_waldir()
                   WHERE name = substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) || '.history')
       END AS promoted_at
FROM (SELECT pg_is_in_recovery() AS standby) AS role`;

export interface SenderRow {
  application_name: string;
  state: string;
  sync_state: string;
  slot: string | null;
  ssl: boolean;
  lag: string | null;
}

export const SENDERS = `
SELECT sender.application_name, sender.state, sender.sync_state, slot.slot_name AS slot, coalesce(tls.ssl, false) AS ssl,
       pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
                       sender.replay_lsn)::bigint::text AS lag
FROM pg_stat_replication AS sender
LEFT JOIN pg_stat_ssl AS tls USING (pid)
LEFT JOIN pg_replication_slots AS slot ON slot.active_pid = sender.pid
ORDER BY sender.application_name`;

export const walSender = (row: SenderRow): WalSender => ({
  applicationName: row.application_name,
  state: row.state,
  syncState: row.sync_state,
  slot: row.slot,
  ssl: row.ssl,
  replayLagBytes: row.lag === null ? null : Number(row.lag),
});

const ALTERED_SYSTEM =
  "SELECT DISTINCT name FROM pg_file_settings WHERE sourcefile LIKE '%/postgresql.auto.conf' AND name IS NOT NULL ORDER BY name";

interface FileRow {
  sourcefile: string;
  sourceline: number;
  name: string | null;
  error: string;
}

/**
 * A parameter that waits for a restart has an error too, and so has one whose line is gone (without a file): both are
 * listed as waiting instead.
 */
const FILES = `
SELECT sourcefile, sourceline, name, error FROM pg_file_settings AS line
WHERE error IS NOT NULL AND sourcefile IS NOT NULL
  AND NOT EXISTS (SELECT FROM pg_settings AS parameter WHERE pending_restart AND parameter.name = lower(line.name))
UNION ALL
SELECT 'pg_hba.conf', line_number, NULL, error FROM pg_hba_file_rules WHERE error IS NOT NULL`;
