/** Connections of the replication role that stay free for the questions of the guard. */
const SPARE_CONNECTIONS = 2;
const CONNECTIONS_PER_BASE_BACKUP = 2;

/** Connections of the replication role: a base backup takes two of each standby, streaming later one of them. */
export function connectionsNeeded(standbys: number): number {
  return CONNECTIONS_PER_BASE_BACKUP * standbys + SPARE_CONNECTIONS;
}

/** The default of `replication.connectionLimit`: what is needed, and some room to add standbys without a change. */
export function defaultConnectionLimit(standbys: number): number {
  return Math.max(10, connectionsNeeded(standbys));
}

/** Connections of a backup server: one receives the WAL, two take a base backup. */
export const BACKUP_SENDERS = 3;

/** Names on the network and in PostgreSQL that a backup server takes. */
export const BACKUP_NAMES: ReadonlySet<string> = new Set(["barman", "streaming_barman"]);

/** Where exporters are published on their host unless a node says otherwise; that of the disk is at the next port. */
export const METRICS_PORT = 9187;

/** What the exporters log in as. */
export const MONITORING_ROLE = "postgres_exporter";

/** max_wal_senders: each other node streams and, while it is cloned again, takes two more; two for tools and the guard, and three for a backup server. */
export function walSendersNeeded(nodes: number, backup: boolean): number {
  return 3 * otherNodes(nodes) + 2 + (backup ? BACKUP_SENDERS : 0);
}

/** max_replication_slots: any node may have to serve all others, and the backup server, after a role change. */
export function slotsNeeded(nodes: number, backup: boolean): number {
  return otherNodes(nodes) + (backup ? 1 : 0);
}

/** What takes an address on the network. */
export interface NetworkMembers {
  readonly nodes: number;
  /** How many of them have a fixed address. */
  readonly fixed: number;
  readonly backup: boolean;
  readonly monitoring: boolean;
}

/**
 * Addresses of the network: one for each node, for the gateway, and for the job of each base backup, with one to spare;
 * beside them the backup server's, those of the exporters, and Prometheus'. Drills and restores have no network.
 */
export function addressesNeeded({ nodes, backup, monitoring }: NetworkMembers): number {
  return nodes + otherNodes(nodes) + 2 + (backup ? 1 : 0) + (monitoring ? nodes + 1 : 0);
}

/** Of them those that the engine hands out: neither the gateway's, nor a fixed one. */
export const handedOut = (members: NetworkMembers): number => addressesNeeded(members) - 1 - members.fixed;

function otherNodes(nodes: number): number {
  return Math.max(0, nodes - 1);
}
