/** Why a user may not set a parameter. */
export interface Ownership {
  /** Completes "... is owned by the plan:". */
  readonly reason: string;
  /** What to set instead, in whole sentences. */
  readonly instead: string;
}

const NOTHING = "Remove it.";

const RECOVERY: Ownership = {
  reason: "the roles of the nodes follow from it",
  instead: "Remove it; primary says which node takes writes.",
};
const FILES: Ownership = { reason: "the plan says where the files of a node lie", instead: NOTHING };
const TLS: Ownership = {
  reason: "keys, certificates and the version of TLS are those of the topology",
  instead: NOTHING,
};
const ARCHIVE: Ownership = {
  reason: "archiving is one thing with restoring and cleaning up",
  instead: "Remove it and set archiving: { enabled: true }.",
};
const LOG: Ownership = { reason: "the log goes to docker logs, where errors quote it from", instead: NOTHING };
const BUILT_IN: Ownership = { reason: "the server only reports it", instead: NOTHING };
const INCLUDE: Ownership = {
  reason: "postgresql.conf is made of the stack file alone",
  instead: "Remove it and set the parameters themselves.",
};
const KERBEROS: Ownership = { reason: "clients log in with TLS and scram-sha-256 only", instead: NOTHING };

const OWNED: ReadonlyMap<string, Ownership> = new Map<string, Ownership>([
  [
    "listen_addresses",
    {
      reason: "a node listens on the topology's network",
      instead: "Remove it; network.bindAddress says where ports are published.",
    },
  ],
  [
    "port",
    {
      reason: "inside its container every node listens on 5432",
      instead: "Remove it and set the port of the node in nodes.",
    },
  ],
  ["data_directory", FILES],
  ["config_file", FILES],
  ["hba_file", FILES],
  ["ident_file", FILES],
  ["external_pid_file", FILES],
  ["unix_socket_directories", FILES],
  ["password_encryption", { reason: "clients log in with scram-sha-256 only", instead: NOTHING }],
  ["db_user_namespace", { reason: "clients log in with scram-sha-256 only", instead: NOTHING }],
  ["primary_conninfo", RECOVERY],
  ["primary_slot_name", RECOVERY],
  ["hot_standby", { reason: "standbys answer reads, and are verified by them", instead: NOTHING }],
  ["standby_mode", RECOVERY],
  ["trigger_file", RECOVERY],
  ["promote_trigger_file", RECOVERY],
  [
    "synchronous_standby_names",
    { reason: "it names the nodes", instead: "Remove it and set replication.synchronous." },
  ],
  [
    "recovery_min_apply_delay",
    { reason: "it differs from node to node", instead: "Remove it and set applyDelay of the node in nodes." },
  ],
  ["archive_mode", ARCHIVE],
  ["archive_command", ARCHIVE],
  ["archive_library", ARCHIVE],
  ["archive_cleanup_command", ARCHIVE],
  ["restore_command", ARCHIVE],
  ["cluster_name", { reason: "it is the name of the node", instead: NOTHING }],
  ["wal_log_hints", { reason: "a node rejoins by pg_rewind, which needs it", instead: NOTHING }],
  ["log_destination", LOG],
  ["logging_collector", LOG],
  ...[
    "block_size",
    "data_checksums",
    "data_directory_mode",
    "debug_assertions",
    "huge_pages_status",
    "in_hot_standby",
  ].map(builtIn),
  ...[
    "integer_datetimes",
    "lc_collate",
    "lc_ctype",
    "max_function_args",
    "max_identifier_length",
    "max_index_keys",
  ].map(builtIn),
  ...[
    "num_os_semaphores",
    "segment_size",
    "server_encoding",
    "server_version",
    "server_version_num",
    "shared_memory_size",
  ].map(builtIn),
  ...["shared_memory_size_in_huge_pages", "wal_block_size", "wal_segment_size"].map(builtIn),
]);

function builtIn(name: string): [string, Ownership] {
  return [name, BUILT_IN];
}

/** Whole families of parameters. */
const OWNED_FAMILIES: readonly (readonly [family: RegExp, ownership: Ownership])[] = [
  [/^ssl(?:_|$)/, TLS],
  [/^recovery_target(?:_|$)/, RECOVERY],
  [/^include(?:_|$)/, INCLUDE],
  [/^(?:krb|gss)_/, KERBEROS],
];

/** Why the plan owns a parameter; null: it is the user's. */
export function ownershipOf(parameter: string): Ownership | null {
  const family = OWNED_FAMILIES.find(([pattern]) => pattern.test(parameter));
  return OWNED.get(parameter) ?? family?.[1] ?? null;
}

/** The owned parameters that have a name of their own, for tests and for documentation. */
export function ownedParameters(): Iterable<string> {
  return OWNED.keys();
}
