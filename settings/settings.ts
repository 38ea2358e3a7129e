/**
 * What a stack file says, complete: every default is filled in, every rule across keys holds.
 * `read.ts` is the only place that makes one.
 */
export interface Settings {
  /** An image that keeps the contract of the official `postgres` image. */
  readonly image: string;
  /** Major version of the server in `image`: read off its tag, or given as `postgresMajor`. */
  readonly postgresMajor: number;
  /** Name of the node that takes writes. */
  readonly primary: string;
  /** By name, the machines that nodes are on; empty: all is on the engine of this machine, or of DOCKER_HOST. */
  readonly hosts: Readonly<Record<string, HostSettings>>;
  /** In the order of the stack file, `primary` among them. */
  readonly nodes: readonly NodeSettings[];
  readonly network: NetworkSettings;
  readonly database: DatabaseSettings;
  readonly replication: ReplicationSettings;
  /** The user's own postgresql.conf parameters, in their textual form. None that the plan owns is among them. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Extra pg_hba rules; TLS and scram-sha-256 are implied. */
  readonly accessRules: readonly AccessRule[];
  readonly archiving: ArchivingSettings;
  readonly guard: GuardSettings;
  readonly hooks: HookSettings;
  readonly backup: BackupSettings;
  readonly drill: DrillSettings;
  readonly objectives: ObjectiveSettings;
  /** null: the cluster is founded empty. */
  readonly bootstrap: BootstrapSettings | null;
  readonly monitoring: MonitoringSettings;
  readonly initdb: InitdbSettings;
  readonly passwords: PasswordSettings;
  readonly certificateAuthority: CertificateAuthoritySettings;
  /** Issues the servers' certificates; null: one is made that does. */
  readonly ownAuthority: OwnAuthority | null;
  /** Data volumes are protected from `pulumi destroy`. */
  readonly deletionProtection: boolean;
  /** Losses that the stack file accepts. */
  readonly acknowledge: Acknowledgements;
}

/** A machine with a Docker engine of its own. */
export interface HostSettings {
  readonly name: string;
  /** unix://, ssh:// or tcp://. */
  readonly docker: string;
  /** IPv4, at which the other hosts reach it. */
  readonly address: string;
  /** Folder with ca.pem, cert.pem and key.pem, from the folder of Pulumi.yaml on; null: none is needed. */
  readonly certificates: string | null;
}

export interface NodeSettings {
  readonly name: string;
  /** null: there are no hosts. */
  readonly host: HostSettings | null;
  /** Published on the address of its host, or else on `network.bindAddress`; null: not published. */
  readonly port: number | null;
  /** Fixed IPv4 address inside `network.subnet`; null: found by DNS name. */
  readonly address: string | null;
  /** Of its exporter on its host's address, and the next one; null: nobody there asks it. */
  readonly metricsPort: number | null;
  /** The node that this one streams from; null: whichever node is the primary. */
  readonly upstream: string | null;
  /** PostgreSQL's recovery_min_apply_delay, as written ("30min"); null: applied at once. */
  readonly applyDelay: string | null;
  /** An image of the same major; null: the topology's. */
  readonly image: string | null;
}

export interface NetworkSettings {
  /** IPv4 subnet in CIDR form; null: the engine chooses. */
  readonly subnet: string | null;
  /** Address of the host on which ports are published. */
  readonly bindAddress: string;
  /** With hosts: IPv4 addresses of machines that run updates and are none of the hosts. */
  readonly operators: readonly string[];
}

export interface DatabaseSettings {
  readonly name: string;
  readonly owner: string;
}

export interface ReplicationSettings {
  readonly user: string;
  readonly connectionLimit: number;
  readonly synchronous: SynchronousSettings;
}

/** `synchronous_standby_names` without the names: FIRST count (...) is priority, ANY count (...) is quorum. */
export type SynchronousSettings =
  | { readonly mode: "async" }
  | {
      readonly mode: "priority" | "quorum";
      readonly count: number;
      /** Whether a write waits for the backup server besides `count` standbys; never with quorum. */
      readonly includeBackup: boolean;
      /** What an update does that cannot bring back as many standbys as a write waits for. */
      readonly whenStandbyMissing: WhenStandbyMissing;
    };

/** wait: writes wait for as long as it takes. degrade: they wait for those that are there, until all are again. */
export type WhenStandbyMissing = "wait" | "degrade";

export interface AccessRule {
  readonly database: string;
  readonly user: string;
  /** IPv4 or IPv6 network in CIDR form, or one of pg_hba's words `all`, `samenet`, `samehost`. */
  readonly address: string;
}

export interface GuardSettings {
  /** What a primary does at its start while no other node answers: take writes alone, or wait until one does. */
  readonly whenPeersUnreachable: "start" | "wait";
}

export interface HookSettings {
  /** A line of shell that runs when another node has become the primary; null: none. */
  readonly afterPromotion: string | null;
}

export interface ArchivingSettings {
  readonly enabled: boolean;
}

/** Backups by Barman. */
export interface BackupSettings {
  readonly enabled: boolean;
  /** Where the backup server is; null: there are no hosts, or no backups. */
  readonly host: HostSettings | null;
  /** Whom base backups are taken from, while there is a standby. WAL always comes from the primary. */
  readonly from: "primary" | "standby";
  /** Barman's own notation: `RECOVERY WINDOW OF 7 DAYS` or `REDUNDANCY 3`. */
  readonly retention: string;
  /** Backups that neither the retention policy nor a person can remove; at least 1. */
  readonly minimumRedundancy: number;
  /** Five fields as cron has them, in UTC. */
  readonly schedule: string;
  /** Of the WAL; base backups are kept as they are. */
  readonly compression: "none" | "gzip" | "bzip2";
  /** Barman's own notation, for example `2 DAYS`. */
  readonly lastBackupMaximumAge: string;
}

/** The restore of every new backup, to see that it can be. */
export interface DrillSettings {
  readonly enabled: boolean;
  /** After so long the newest backup is restored again; null: only one that is new is. */
  readonly everySeconds: number | null;
  /** Queries in the database of the stack file that give true where all is well. */
  readonly assertions: readonly string[];
}

/** What has to hold of the figures that are measured; null: nothing has to. */
export interface ObjectiveSettings {
  readonly rpoSeconds: number | null;
  readonly rtoSeconds: number | null;
  readonly maxReplayLagBytes: number | null;
  readonly maxWriteGapMs: number | null;
  /** Whether one that is missed fails the update; otherwise it is a warning. */
  readonly enforce: boolean;
}

/** The backups that a cluster is founded from. */
export interface BootstrapSettings {
  /** The stack of this project whose backup server took them. */
  readonly stack: string;
  /** Up to which moment, with its time zone; null: all there is. */
  readonly at: string | null;
}

/** Exporters and a Prometheus. */
export interface MonitoringSettings {
  readonly enabled: boolean;
  /** Where Prometheus is; null: there are no hosts, or nothing is watched. */
  readonly host: HostSettings | null;
  /** Of Prometheus, on the loopback address; null: not published. */
  readonly port: number | null;
}

export interface InitdbSettings {
  /** Further arguments of initdb, for example `--locale-provider=icu`; they count once, when the cluster is founded. */
  readonly arguments: readonly string[];
}

export interface PasswordSettings {
  readonly replication: PasswordChoice;
  readonly owner: PasswordChoice;
  /** Of the role with which the provider logs in. */
  readonly operator: GeneratedPassword;
}

/** A text is a password that the user chose. */
export type PasswordChoice = string | GeneratedPassword;

export interface GeneratedPassword {
  /** Another version is another password. */
  readonly version: number;
}

/** Losses that an update may cause because the stack file says so; each counts once. */
export interface Acknowledgements {
  /** null: a failover may lose nothing. */
  readonly failover: AcknowledgedFailover | null;
  /** Nodes whose own rows may be discarded when they rejoin. */
  readonly rejoin: readonly string[];
  /** Docker volumes that may be deleted although they hold what nothing else holds. */
  readonly volumes: readonly string[];
  /** Writes may wait for fewer standbys than before. */
  readonly synchronous: boolean;
}

export interface AcknowledgedFailover {
  /** Of WAL; "unknown": nobody can tell how many. */
  readonly lostBytes: number | "unknown";
  /** Nodes that may be replaced although nobody can stop them first: the engine of their host does not answer. */
  readonly unfenced: readonly string[];
}

export interface OwnAuthority {
  /** PEM: the certificate that issues, and those above it up to the root that clients trust. */
  readonly certificatePem: string;
  /** PKCS #8 of the first certificate. Secret. */
  readonly privateKeyPem: string;
}

export interface CertificateAuthoritySettings {
  /** Another version is another authority. */
  readonly version: number;
  /** Nodes and clients also trust the authority before. */
  readonly trustPrevious: boolean;
}
