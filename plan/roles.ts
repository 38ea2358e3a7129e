import { OPERATOR_ROLE } from "./access-rules.ts";

/** A role as the stack needs it; the same shape as operations/roles.ts works with. */
export interface PlannedRole {
  readonly name: string;
  readonly replication: boolean;
  /** -1: no limit. */
  readonly connectionLimit: number;
  readonly memberOf: readonly string[];
  readonly executes: readonly string[];
  readonly reads: readonly string[];
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
  executes: [],
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
