/** Paths inside a node's container. */
export interface Layout {
  /** Where the data volume is mounted. */
  readonly dataMount: string;
  /**
   * PGDATA, a subdirectory of the mount: a finished initdb or base backup is moved into place by one rename, and a
   * fence file can stand beside it.
   */
  readonly dataDirectory: string;
  /** What an unfinished initdb or base backup is written to. */
  readonly stagingDirectory: string;
  /** While this file is there, the guard lets no server start from the data directory. */
  readonly fenceFile: string;
  /** Written by initdb, taken away by the first start: a cluster that never ran can have no newer primary. */
  readonly foundingFile: string;
  /** Included in postgresql.conf: how much WAL slots may keep where the volume has little room. By the guard. */
  readonly slotBoundFile: string;
}

export const CONFIGURATION_MOUNT = "/etc/pg-topology";
export const ARCHIVE_MOUNT = "/var/lib/pg-topology/archive";
export const SOCKET_DIRECTORY = "/var/run/postgresql";
export const BACKUP_HOME = "/var/lib/barman";
/** What the last drill came to. Barman itself takes no notice of it. */
export const DRILL_RECORD = `${BACKUP_HOME}/last-drill.json`;
export const PROMETHEUS_HOME = "/var/lib/prometheus";
export const SERVER_PORT = 5432;
/** Where the backup server says how its backups are, inside the network. */
export const BACKUP_METRICS_PORT = 9188;

/** Where Barman has what is a server's. */
export interface BarmanFolders {
  /** WAL that is still being received. */
  readonly streaming: string;
  /** WAL that is archived. */
  readonly wals: string;
  /** Base backups. */
  readonly base: string;
  /** What it has written down of each of them. */
  readonly meta: string;
}

export const barmanFolders = (server: string): BarmanFolders => ({
  streaming: `${BACKUP_HOME}/${server}/streaming`,
  wals: `${BACKUP_HOME}/${server}/wals`,
  base: `${BACKUP_HOME}/${server}/base`,
  meta: `${BACKUP_HOME}/${server}/meta`,
});

/** What Barman locks while it takes a base backup of a server, or removes one. */
export const backupLock = (server: string): string => `${BACKUP_HOME}/.${server}-backup.lock`;

/** When Barman's cron last ran: its age is what the backup server's main loop goes by. */
export const BACKUP_CRON_MARK = `${BACKUP_HOME}/.cron`;

/** User and group `postgres` of the official image. */
export const POSTGRES_UID = 999;
export const SUPERUSER_OF_FILES = "postgres";

export const CONFIGURATION_FILES = {
  guard: `${CONFIGURATION_MOUNT}/guard`,
  peers: `${CONFIGURATION_MOUNT}/peers`,
  archiveWal: `${CONFIGURATION_MOUNT}/archive-wal`,
  recordArchiveNeed: `${CONFIGURATION_MOUNT}/record-archive-need`,
  postgresqlConf: `${CONFIGURATION_MOUNT}/postgresql.conf`,
  replicationConf: `${CONFIGURATION_MOUNT}/replication.conf`,
  hba: `${CONFIGURATION_MOUNT}/pg_hba.conf`,
  certificateAuthority: `${CONFIGURATION_MOUNT}/tls/ca.crt`,
  serverCertificate: `${CONFIGURATION_MOUNT}/tls/server.crt`,
  serverKey: `${CONFIGURATION_MOUNT}/tls/server.key`,
  passfile: `${CONFIGURATION_MOUNT}/passfile`,
  barmanConf: `${CONFIGURATION_MOUNT}/barman.conf`,
  backupTurn: `${CONFIGURATION_MOUNT}/backup-turn`,
  takeBackup: `${CONFIGURATION_MOUNT}/take-backup`,
  backupMetrics: `${CONFIGURATION_MOUNT}/backup-metrics`,
  queries: `${CONFIGURATION_MOUNT}/queries.yml`,
  exporterPassword: `${CONFIGURATION_MOUNT}/password`,
  prometheus: `${CONFIGURATION_MOUNT}/prometheus.yml`,
  alerts: `${CONFIGURATION_MOUNT}/alerts.yml`,
  facts: `${CONFIGURATION_MOUNT}/facts.yml`,
} as const;

/**
 * The image declares its data volume at /var/lib/postgresql/data up to 17 and at /var/lib/postgresql since 18; a
 * mount anywhere else would leave an anonymous volume behind for every container.
 */
export function layoutOf(postgresMajor: number): Layout {
  const dataMount = postgresMajor >= 18 ? "/var/lib/postgresql" : "/var/lib/postgresql/data";
  const dataDirectory = postgresMajor >= 18 ? `${dataMount}/${postgresMajor}/docker` : `${dataMount}/pgdata`;
  return {
    dataMount,
    dataDirectory,
    stagingDirectory: `${dataMount}/staging`,
    fenceFile: `${dataMount}/fence`,
    foundingFile: `${dataMount}/founding`,
    slotBoundFile: `${dataMount}/slot-bound.conf`,
  };
}
