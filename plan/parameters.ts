import type { Settings } from "../settings/settings.ts";
import { CONFIGURATION_FILES, SERVER_PORT, SOCKET_DIRECTORY } from "./layout.ts";

/** One line of postgresql.conf, and why it is there. */
export interface Parameter {
  readonly name: string;
  readonly value: string;
  readonly reason: string;
}

/** Layers of one file, weakest first: a later layer wins. */
export interface ParameterLayers {
  readonly defaults: readonly Parameter[];
  readonly computed: readonly Parameter[];
  readonly user: readonly Parameter[];
  readonly owned: readonly Parameter[];
}

/**
 * What slots may keep, at most, unless the stack file says otherwise. Where a volume has less than twice as much room, the
 * guard lets them keep half of the room: what that is, no plan knows.
 */
export const SLOT_WAL_MEGABYTES = 4096;

const parameter = (name: string, value: string | number, reason: string): Parameter => ({
  name,
  value: String(value),
  reason,
});

/**
 * Room for standbys that come later: changing max_wal_senders or max_replication_slots restarts every node, so that
 * a small topology is given what a larger one needs.
 */
const NODES_WITH_ROOM = 10;

/** A backup server receives the WAL over one connection, and takes a base backup over two. */
const BACKUP_SENDERS = 3;

/**
 * A standby streams over one connection and a base backup over two; two more for a person. In a small topology there is
 * room for a backup server already, so that having one restarts nothing.
 */
export const walSendersFor = (nodeCount: number, backup: boolean): number =>
  Math.max(3 * (NODES_WITH_ROOM - 1), 3 * (nodeCount - 1) + (backup ? BACKUP_SENDERS : 0)) + 2;

/** A slot for every other node on every node, and as many again for logical decoding and backup servers. */
export const replicationSlotsFor = (nodeCount: number): number => 2 * Math.max(nodeCount, NODES_WITH_ROOM);

/** The layers that all nodes share. What differs between nodes stands in replication.conf. */
export function parameterLayers(settings: Settings): ParameterLayers {
  return {
    defaults: defaults(),
    computed: computed(settings),
    user: Object.entries(settings.parameters).map(([name, value]) => parameter(name, value, "from the stack file")),
    owned: owned(settings),
  };
}

/** What is left of the layers: one line a parameter, the strongest layer's, sorted by name. */
export function effectiveParameters(layers: ParameterLayers): Parameter[] {
  const byName = new Map<string, Parameter>();
  for (const layer of [layers.defaults, layers.computed, layers.user, layers.owned]) {
    for (const line of layer) byName.set(line.name, line);
  }
  return [...byName.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function defaults(): Parameter[] {
  return [
    parameter("default_text_search_config", "pg_catalog.english", "what initdb writes for an English locale"),
    parameter("log_checkpoints", "on", "tells how long recovery would take"),
    parameter("log_line_prefix", "%m [%p] %q%u@%d ", "time, process, user and database"),
    parameter("shared_buffers", "128MB", "what initdb writes; raise it to a quarter of the memory"),
    parameter("timezone", "UTC", "the same on every node"),
  ];
}

function computed(settings: Settings): Parameter[] {
  const nodeCount = settings.nodes.length;
  const archiving = settings.archiving.enabled
    ? [parameter("archive_timeout", "60s", "a quiet primary archives its last rows within a minute")]
    : [];
  return [
    ...archiving,
    parameter("hot_standby_feedback", "on", "queries on a standby are not cancelled by vacuum on the primary"),
    parameter("max_replication_slots", replicationSlotsFor(nodeCount), "a slot for each other node, with room to grow"),
    parameter(
      "max_wal_senders",
      walSendersFor(nodeCount, settings.backup.enabled),
      "one to stream and two for a base backup, for each node",
    ),
    parameter("tcp_keepalives_idle", "10s", "connections to a host that vanished end"),
    parameter("tcp_keepalives_interval", "5s", "see tcp_keepalives_idle"),
    parameter("tcp_keepalives_count", 3, "see tcp_keepalives_idle"),
    parameter("wal_keep_size", "128MB", "what a slot that is not yet reserved may need"),
    parameter("wal_level", "replica", "standbys and base backups need it"),
    parameter("wal_receiver_status_interval", "1s", "lag is at most a second old"),
    parameter("wal_retrieve_retry_interval", "200ms", "a standby looks for a new primary five times a second"),
    parameter("wal_sender_timeout", "10s", "a frozen standby must not hold up a clean shutdown"),
  ];
}

function owned(settings: Settings): Parameter[] {
  const archiving = settings.archiving.enabled
    ? [
        parameter("archive_command", `${CONFIGURATION_FILES.archiveWal} %p %f`, "never overwrites, survives a crash"),
        parameter("archive_mode", "on", "archiving is enabled in the stack file"),
      ]
    : [];
  return [
    ...archiving,
    parameter("hba_file", CONFIGURATION_FILES.hba, "rendered from the stack file"),
    parameter("hot_standby", "on", "standbys answer queries, and the provider's questions"),
    parameter("listen_addresses", "*", "every address of the container; pg_hba.conf decides who may come in"),
    parameter("password_encryption", "scram-sha-256", "md5 is not offered"),
    parameter("port", SERVER_PORT, "the port of the container; published ports are Docker's affair"),
    parameter("ssl", "on", "no connection over the network without TLS"),
    parameter("ssl_ca_file", CONFIGURATION_FILES.certificateAuthority, "the topology's own authority"),
    parameter("ssl_cert_file", CONFIGURATION_FILES.serverCertificate, "issued for this node's names and addresses"),
    parameter("ssl_key_file", CONFIGURATION_FILES.serverKey, "readable by the server alone"),
    parameter("ssl_min_protocol_version", "TLSv1.2", "older protocols are broken"),
    parameter("unix_socket_directories", SOCKET_DIRECTORY, "the administrator's way in: docker exec -u postgres"),
    parameter("wal_log_hints", "on", "pg_rewind works without data checksums too"),
  ];
}
