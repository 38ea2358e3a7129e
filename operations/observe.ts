import type pg from "pg";
import { isCertificateRefusal } from "./certificate-refusal.ts";
import { EngineGoneError, engineOf, inspectContainer, lastLogLines } from "./engine.ts";
import { messageOf } from "./errors.ts";
import type { Node } from "./node.ts";
import { SLOTS, slotOf } from "./slots.ts";
import type { Slot, SlotRow } from "./slots.ts";
import { one, withOperator } from "./sql.ts";
import type { OperatorCredentials } from "./sql.ts";
import { runAsSuperuser } from "./superuser.ts";

/** What one node says of itself at one moment. */
export type NodeObservation =
  | { readonly name: string; readonly answers: true; readonly server: ServerObservation }
  | { readonly name: string; readonly answers: false; readonly container: ContainerState; readonly why: string };

/**
 * held: its guard keeps the server from starting. unreachable: the engine of its host does not answer, so that nobody
 * knows what it does.
 */
export type ContainerState = "missing" | "stopped" | "paused" | "held" | "running" | "unreachable";

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
  /**
   * Whether a delayed standby is waiting to apply what it has received (recovery_min_apply_delay). One that was disconnected
   * applies all of that first, and looks for an upstream only then.
   */
  readonly appliesLate: boolean;
  /** Whether a standby was restarted and has more WAL than it can tell yet. */
  readonly stillReplays: boolean;
  /** Where the WAL begins that it can still send to others. */
  readonly oldestWalLsn: string;
  /** When a primary was promoted, as it says itself; null: it never was, or that is forgotten. */
  readonly promotedAt: string | null;
  readonly synchronous: SynchronousState;
}

/** Whether commits of a primary are confirmed by as many standbys as they wait for. */
export interface SynchronousState {
  /** `synchronous_standby_names` as it is effective; "": commits wait for nobody. */
  readonly names: string;
  /** Commits that wait at this moment. */
  readonly waitingCommits: number;
  /** For how long the statement of the oldest of them has run; 0: none waits. */
  readonly oldestWaitSeconds: number;
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
  /** null: nothing was written lately, or the standby does not say. */
  readonly replayLagSeconds: number | null;
}

/** Asks all nodes side by side. Nothing is thrown: a node that does not answer is an observation too. */
export function observeNodes(nodes: readonly Node[], operator: OperatorCredentials): Promise<NodeObservation[]> {
  return Promise.all(nodes.map((node) => observeNode(node, operator)));
}

async function observeNode(node: Node, operator: OperatorCredentials): Promise<NodeObservation> {
  try {
    const server = await withOperator(node, operator, observeServer).catch((error: unknown) =>
      observedInside(node, error),
    );
    return { name: node.name, answers: true, server };
  } catch (error) {
    const container = await containerState(node);
    return { name: node.name, answers: false, container, why: messageOf(error) };
  }
}

/** A server whose certificate is over tells what it is like all the same, to somebody who asks in its container. */
async function observedInside(node: Node, error: unknown): Promise<ServerObservation> {
  if (!isCertificateRefusal(error)) throw error;
  return serverObservation(JSON.parse(await runAsSuperuser(node, serverQuestions())) as ServerAnswers);
}

export async function containerState(node: Node): Promise<ContainerState> {
  try {
    return await askedState(node);
  } catch (error) {
    // Without hosts there is nobody else to ask: then the engine is what has to be told of.
    if (node.host === undefined || !(error instanceof EngineGoneError)) throw error;
    return "unreachable";
  }
}

async function askedState(node: Node): Promise<ContainerState> {
  const docker = engineOf(node);
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
  return serverObservation({
    self: await one<SelfRow>(client, SELF),
    senders: (await client.query<SenderRow>(SENDERS)).rows,
    slots: (await client.query<SlotRow>(SLOTS)).rows,
    files: (await client.query<FileRow>(FILES)).rows,
    altered: (await client.query<AlteredRow>(ALTERED_SYSTEM)).rows,
  });
}

/** The answers of a server to the queries of the same names. */
export interface ServerAnswers {
  readonly self: SelfRow;
  readonly senders: readonly SenderRow[];
  readonly slots: readonly SlotRow[];
  readonly files: readonly FileRow[];
  readonly altered: readonly AlteredRow[];
}

/** All of them as one script of psql, and what else is asked at the same time by name; it answers with one JSON object. */
export function serverQuestions(more: Readonly<Record<string, string>> = {}): string {
  const queries = { senders: SENDERS, slots: SLOTS, files: FILES, altered: ALTERED_SYSTEM, ...more };
  const lists = Object.entries(queries).map(
    ([name, query]) => `'${name}', (SELECT coalesce(json_agg(line), '[]') FROM (${query}) AS line)`,
  );
  return `SELECT json_build_object('self', (SELECT row_to_json(self) FROM (${SELF}) AS self),\n${lists.join(",\n")});\n`;
}

export function serverObservation({ self, senders, slots, files, altered }: ServerAnswers): ServerObservation {
  return {
    role: self.standby ? "standby" : "primary",
    systemIdentifier: self.system_identifier,
    timeline: self.timeline,
    walLsn: self.wal_lsn,
    replayLsn: self.replay_lsn,
    slots: slots.map(slotOf),
    senders: senders.map(walSender),
    pendingRestart: self.pending_restart,
    fileErrors: files.map((row) => `${row.sourcefile}:${row.sourceline}: ${row.name ?? ""} ${row.error}`),
    alteredSystem: altered.map((row) => row.name),
    replayPaused: self.replay_paused,
    appliesLate: self.applies_late,
    stillReplays: self.still_replays,
    oldestWalLsn: self.oldest_wal_lsn,
    promotedAt: self.promoted_at,
    synchronous: {
      names: self.synchronous_names,
      waitingCommits: self.waiting_commits,
      oldestWaitSeconds: self.oldest_wait_seconds ?? 0,
    },
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
  applies_late: boolean;
  still_replays: boolean;
  oldest_wal_lsn: string;
  promoted_at: string | null;
  synchronous_names: string;
  waiting_commits: number;
  oldest_wait_seconds: number | null;
}

/** Whether a standby has replayed all that it has, and waits for more. */
export const AWAITS_WAL = `EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'startup'
               AND wait_event IN ('RecoveryWalStream', 'RecoveryRetrieveRetryInterval'))`;

/** Whether a delayed standby waits to apply what it has received. */
export const APPLIES_LATE =
  "EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'startup' AND wait_event = 'RecoveryApplyDelay')";

/**
 * A standby knows of nothing that it has received before it was restarted until it has replayed all of it, and looks for
 * more. `standby` is whether it is one.
 */
export const STILL_REPLAYS = `(standby AND pg_last_wal_receive_lsn() IS NULL AND NOT ${AWAITS_WAL})`;

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
       ${APPLIES_LATE} AS applies_late,
       ${STILL_REPLAYS} AS still_replays,
       (SELECT coalesce('0/0'::pg_lsn + (('x' || substr(first, 1, 8))::bit(32)::bigint::numeric * 4294967296
                 + ('x' || substr(first, 9, 8))::bit(32)::bigint
                   * (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size')), '0/0')::text
          FROM (SELECT min(substr(name, 9)) AS first FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$') AS wal)
         AS oldest_wal_lsn,
       CASE WHEN NOT standby
            THEN (SELECT to_char(modification AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"') FROM pg_ls_waldir()
                   WHERE name = substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) || '.history')
       END AS promoted_at,
       CASE WHEN standby THEN '' ELSE current_setting('synchronous_standby_names') END AS synchronous_names,
       (SELECT count(*)::int FROM pg_stat_activity WHERE wait_event = 'SyncRep') AS waiting_commits,
       (SELECT extract(epoch FROM clock_timestamp() - min(query_start))::float8 FROM pg_stat_activity
         WHERE wait_event = 'SyncRep') AS oldest_wait_seconds
FROM (SELECT pg_is_in_recovery() AS standby) AS role`;

export interface SenderRow {
  application_name: string;
  state: string;
  sync_state: string;
  slot: string | null;
  ssl: boolean;
  lag: string | null;
  lag_seconds: number | null;
}

/** Of those that stay in `startup` nobody is sent anything: the guard of another node asks by such a connection. */
export const SENDERS = `
SELECT sender.application_name, sender.state, sender.sync_state, slot.slot_name AS slot, coalesce(tls.ssl, false) AS ssl,
       pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
                       sender.replay_lsn)::bigint::text AS lag,
       extract(epoch FROM sender.replay_lag)::float8 AS lag_seconds
FROM pg_stat_replication AS sender
LEFT JOIN pg_stat_ssl AS tls USING (pid)
LEFT JOIN pg_replication_slots AS slot ON slot.active_pid = sender.pid
WHERE sender.state <> 'startup'
ORDER BY sender.application_name`;

const walSender = (row: SenderRow): WalSender => ({
  applicationName: row.application_name,
  state: row.state,
  syncState: row.sync_state,
  slot: row.slot,
  ssl: row.ssl,
  replayLagBytes: row.lag === null ? null : Number(row.lag),
  replayLagSeconds: row.lag_seconds,
});

/** Names of the parameters that ALTER SYSTEM has set. */
export const ALTERED_SYSTEM =
  "SELECT DISTINCT name FROM pg_file_settings WHERE sourcefile LIKE '%/postgresql.auto.conf' AND name IS NOT NULL ORDER BY name";

export interface AlteredRow {
  name: string;
}

export interface FileRow {
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
