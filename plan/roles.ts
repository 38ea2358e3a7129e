import { sessionSettings } from "../config-templates/session-settings.ts";
import { BACKUP_ROLES, MONITORING_ROLE, OPERATOR_ROLE } from "./access-rules.ts";

/** A role as the stack needs it; the same shape as operations/roles.ts works with. */
export interface PlannedRole {
  readonly name: string;
  readonly replication: boolean;
  /** -1: no limit. */
  readonly connectionLimit: number;
  readonly memberOf: readonly string[];
  readonly executes: readonly string[];
  readonly reads: readonly string[];
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * The role that the provider logs in as: it sees all statistics and settings, makes and drops slots (REPLICATION),
 * reloads and promotes. It reads no table, changes no role, and is let in to the maintenance database only.
 */
export function operatorRole(): PlannedRole {
  return {
    name: OPERATOR_ROLE,
    replication: true,
    connectionLimit: -1,
    memberOf: ["pg_monitor"],
    executes: [
      "pg_reload_conf()",
      "pg_promote(boolean, integer)",
      "pg_wal_replay_resume()",
      "pg_show_all_file_settings()",
      "pg_hba_file_rules()",
      "pg_control_system()",
      "pg_control_checkpoint()",
      "pg_stat_file(text, boolean)",
    ],
    reads: ["pg_file_settings", "pg_hba_file_rules"],
  };
}

/** The role that standbys and base backups log in as. */
export const replicationRole = (user: { readonly name: string; readonly connectionLimit: number }): PlannedRole => ({
  name: user.name,
  replication: true,
  connectionLimit: user.connectionLimit,
  memberOf: [],
  // What pg_rewind needs (PostgreSQL, "pg_rewind", Notes). A base backup reads all of these files anyway.
  executes: [
    "pg_ls_dir(text, boolean, boolean)",
    "pg_stat_file(text, boolean)",
    "pg_read_binary_file(text)",
    "pg_read_binary_file(text, bigint, bigint, boolean)",
  ],
  reads: [],
});

export const ownerRole = (name: string): PlannedRole => ({
  name,
  replication: false,
  connectionLimit: -1,
  memberOf: [],
  executes: [],
  reads: [],
});

/** Room for a connection of each exporter to one server, while it is replaced too. */
const EXPORTER_CONNECTIONS = 4;

/** What the exporters log in as: it sees statistics, and no row of anybody. */
export const monitoringRole = (): PlannedRole => ({
  name: MONITORING_ROLE,
  replication: false,
  connectionLimit: EXPORTER_CONNECTIONS,
  memberOf: ["pg_monitor"],
  executes: [],
  reads: [],
});

const FIRST_MAJOR_WITH_PG_BACKUP_START = 15;

/** What Barman logs in as: one role that begins and ends backups and reads no table, and one that replicates. */
export function backupRoles(postgresMajor: number): { readonly backup: PlannedRole; readonly streaming: PlannedRole } {
  const modern = postgresMajor >= FIRST_MAJOR_WITH_PG_BACKUP_START;
  const backupFunctions = modern
    ? ["pg_backup_start(text, boolean)", "pg_backup_stop(boolean)"]
    : ["pg_start_backup(text, boolean, boolean)", "pg_stop_backup(boolean, boolean)"];
  const none = { connectionLimit: -1, memberOf: [], executes: [], reads: [] };
  return {
    backup: {
      ...none,
      name: BACKUP_ROLES.backup,
      replication: false,
      memberOf: ["pg_read_all_settings", "pg_read_all_stats", ...(modern ? ["pg_checkpoint"] : [])],
      executes: [...backupFunctions, "pg_switch_wal()", "pg_create_restore_point(text)"],
      // Barman splits a conninfo at its spaces, so that its sessions cannot bring them as options.
      settings: sessionSettings(postgresMajor),
    },
    streaming: { ...none, name: BACKUP_ROLES.streaming, replication: true },
  };
}
