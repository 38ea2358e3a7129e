import type { BackupSettings, Settings } from "../settings/settings.ts";

/** One line of pg_hba.conf. */
export interface HbaRule {
  readonly type: "local" | "host" | "hostssl" | "hostnossl";
  readonly database: string;
  readonly user: string;
  /** "" for local rules. */
  readonly address: string;
  readonly method: "peer" | "scram-sha-256" | "reject";
}

/** Rules in the order in which PostgreSQL reads them: the first that matches decides. */
export interface HbaRules {
  readonly fixed: readonly HbaRule[];
  readonly topology: readonly HbaRule[];
  readonly user: readonly HbaRule[];
}

export const SUPERUSER = "postgres";

/** The role that the provider logs in as. */
export const OPERATOR_ROLE = "pgtopology";

/** The roles that Barman logs in as. */
export const BACKUP_ROLES = { backup: "barman", streaming: "streaming_barman" } as const;

/** The role that the exporters log in as. */
export const MONITORING_ROLE = "postgres_exporter";

/** The database that the provider and the guard connect to. */
export const MAINTENANCE_DATABASE = "postgres";

const scram = (database: string, user: string, address: string): HbaRule => ({
  type: "hostssl",
  database,
  user,
  address,
  method: "scram-sha-256",
});

const reject = (type: "host" | "hostnossl", user: string): HbaRule => ({
  type,
  database: "all",
  user,
  address: "all",
  method: "reject",
});

/**
 * `samenet` is the topology's own Docker network: the nodes, and whoever comes through a port published on the
 * loopback address (Docker lets those connections come from the network's gateway). Where there are several hosts, what
 * is on another one comes from that one's address. Everybody else needs an access rule of the stack file.
 */
export function hbaRules(settings: Settings): HbaRules {
  const { replication, database, hosts, network } = settings;
  const inside = ["samenet", ...Object.values(hosts).map(({ address }) => `${address}/32`)];
  const operators = [...inside, ...network.operators.map((address) => `${address}/32`)];
  const letIn = (name: string, user: string, from: readonly string[] = inside): HbaRule[] =>
    from.map((address) => scram(name, user, address));
  return {
    fixed: [
      { type: "local", database: "all", user: SUPERUSER, address: "", method: "peer" },
      reject("host", SUPERUSER),
      reject("hostnossl", "all"),
    ],
    topology: [
      ...letIn(MAINTENANCE_DATABASE, OPERATOR_ROLE, operators),
      reject("host", OPERATOR_ROLE),
      ...letIn("replication", replication.user),
      // pg_rewind reads files over an ordinary connection.
      ...letIn(MAINTENANCE_DATABASE, replication.user),
      reject("host", replication.user),
      ...letIn(database.name, database.owner),
      ...(settings.backup.enabled ? backupRules(settings.backup) : []),
      ...(settings.monitoring.enabled ? monitoringRules() : []),
    ],
    user: settings.accessRules.map((rule) => scram(rule.database, rule.user, rule.address)),
  };
}

function backupRules({ host }: BackupSettings): HbaRule[] {
  const from = ["samenet", ...(host === null ? [] : [`${host.address}/32`])];
  return [
    ...from.map((address) => scram(MAINTENANCE_DATABASE, BACKUP_ROLES.backup, address)),
    reject("host", BACKUP_ROLES.backup),
    ...from.map((address) => scram("replication", BACKUP_ROLES.streaming, address)),
    reject("host", BACKUP_ROLES.streaming),
  ];
}

const monitoringRules = (): HbaRule[] => [
  scram(MAINTENANCE_DATABASE, MONITORING_ROLE, "samenet"),
  reject("host", MONITORING_ROLE),
];
