import type { BootstrapPlan } from "./bootstrap.ts";
import type { Acknowledgements, HookSettings, WhenStandbyMissing } from "../settings/settings.ts";
import type { Labels, StackIdentity } from "./names.ts";
import type { Layout } from "./layout.ts";
import type { RestorePlan } from "./restore.ts";
import type { PlannedRole } from "./roles.ts";

/** The topology as it shall be: complete, plain, and the same for the same settings. No secret is part of it. */
export interface Plan {
  readonly identity: StackIdentity;
  readonly labels: Labels;
  readonly image: string;
  readonly postgresMajor: number;
  readonly layout: Layout;
  readonly network: NetworkPlan;
  /** The machines that nodes are on; empty: all is on the engine of this machine, or of DOCKER_HOST. */
  readonly hosts: readonly HostPlan[];
  /** null: WAL is not archived. */
  readonly archiveVolume: string | null;
  /** Volumes beside the nodes' own that no server can fill again, and what each holds. */
  readonly irreplaceableVolumes: readonly { readonly volume: string; readonly holds: string }[];
  /** How many standbys a write waits for; 0: asynchronous. */
  readonly synchronousStandbys: number;
  readonly primary: NodePlan;
  /** Every standby stands after the node that it streams from. */
  readonly standbys: readonly NodePlan[];
  /** Every node, in the order of the stack file. */
  readonly nodes: readonly NodePlan[];
  /** Where clients of this machine find the nodes: published ones only, where any is. */
  readonly clientEndpoints: readonly HostPort[];
  /** Physical slots of the primary that no node streams from. */
  readonly otherSlots: readonly string[];
  readonly replicationUser: { readonly name: string; readonly connectionLimit: number };
  readonly database: { readonly name: string; readonly owner: string };
  /** Who has confirmed every commit of the primary before the client was told; null: nobody for certain. */
  readonly guarantee: { readonly count: number; readonly candidates: readonly string[] } | null;
  /** Whether an update that cannot bring back as many standbys as a write waits for lets writes go on without them. */
  readonly whenStandbyMissing: WhenStandbyMissing;
  /** The job that lets the server judge the parameters of the stack file; null: there are none. */
  readonly parameterCheck: { readonly job: string; readonly script: string } | null;
  /** Which authority vouches for the servers, and whether the one before is still trusted. */
  readonly certificateAuthority: { readonly version: number; readonly trustPrevious: boolean };
  readonly initdbArguments: readonly string[];
  readonly deletionProtection: boolean;
  /** Losses that the stack file accepts. Never an input that counts: taking one away must not plan an update. */
  readonly acknowledge: Acknowledgements;
  readonly hooks: HookSettings;
  /** null: no backups. */
  readonly backup: BackupPlan | null;
  /** null: the cluster is founded empty. */
  readonly bootstrap: BootstrapPlan | null;
  /** null: nothing is watched. */
  readonly monitoring: MonitoringPlan | null;
  /** null: there are none. */
  readonly objectives: ObjectivesPlan | null;
}

/** What has to hold of the figures that are measured; null: nothing has to. */
export interface ObjectivesPlan {
  readonly rpoSeconds: number | null;
  readonly rtoSeconds: number | null;
  readonly maxReplayLagBytes: number | null;
  readonly maxWriteGapMs: number | null;
  /** Whether one that is missed fails the update; otherwise it is a warning. */
  readonly enforce: boolean;
}

/** The restore of every new backup. */
export interface DrillPlan {
  readonly node: RestorePlan;
  /** After so long the newest backup is restored again; null: only one that is new is. */
  readonly everySeconds: number | null;
  readonly assertions: readonly string[];
}

/** The Barman server. */
export interface BackupPlan {
  /** What the topology is called inside Barman. */
  readonly server: string;
  /** null: the engine of this machine, or of DOCKER_HOST. */
  readonly host: HostPlan | null;
  /** Its name on the Docker network. */
  readonly hostname: string;
  readonly container: string;
  /** Built from images/barman: another content there, or another base, is another name. */
  readonly image: string;
  readonly volume: string;
  readonly configurationVolume: string;
  readonly slot: string;
  readonly roles: { readonly backup: PlannedRole; readonly streaming: PlannedRole };
  /** Whether writes wait for it. */
  readonly confirmsWrites: boolean;
  /** Barman's own notation. */
  readonly retention: string;
  readonly minimumRedundancy: number;
  /** Where it has everything, in its container. */
  readonly home: string;
  /** Where its archived WAL is there, and the WAL that it is receiving. */
  readonly walFolder: string;
  readonly streamingFolder: string;
  /** Where its base backups are there. */
  readonly baseFolder: string;
  /** The file there whose age says when Barman's cron last ran. */
  readonly cronMark: string;
  /** What Barman locks there while it takes a base backup. */
  readonly backupLock: string;
  /** The files of its configuration volume that hold no secret. */
  readonly files: readonly PlannedFile[];
  /** null: no drills. */
  readonly drill: DrillPlan | null;
}

/** An exporter of metrics for each node, and the Prometheus that collects them. */
export interface MonitoringPlan {
  /** Built from images/monitoring. */
  readonly image: string;
  readonly role: PlannedRole;
  /** The configuration of all exporters. */
  readonly exporterVolume: string;
  readonly exporterFiles: readonly PlannedFile[];
  readonly exporters: readonly ExporterPlan[];
  readonly prometheus: PrometheusPlan;
  /** Older than this the newest backup may not become, in seconds; empty: there are no backups. */
  readonly backupMaximumAges: readonly number[];
  /** Standbys with an applyDelay. */
  readonly delayed: readonly string[];
  /** Slots that a backup server streams from. */
  readonly backupSlots: readonly string[];
}

export interface ExporterPlan {
  readonly node: string;
  readonly container: string;
  /** That of its node; null: there are no hosts. */
  readonly host: HostPlan | null;
  /** Its name on the Docker network. */
  readonly hostname: string;
  /** For a Prometheus on another host; empty: it finds the exporter on the Docker network. */
  readonly published: readonly PublishedPort[];
  /** In the order in which the engine is given them. It holds no password. */
  readonly environment: readonly string[];
  readonly arguments: readonly string[];
}

export interface PublishedPort extends HostPort {
  /** In the container. */
  readonly internal: number;
}

export interface PrometheusPlan {
  readonly container: string;
  /** null: there are no hosts. */
  readonly host: HostPlan | null;
  readonly volume: string;
  readonly configurationVolume: string;
  readonly port: number;
  readonly published: HostPort | null;
  readonly arguments: readonly string[];
  readonly files: readonly PlannedFile[];
}

export interface NetworkPlan {
  readonly name: string;
  readonly subnet: string | null;
  /** The part of the subnet from which the engine hands out addresses; null: all of it. */
  readonly dynamicRange: string | null;
}

/** A machine with a Docker engine of its own; the same shape as operations/docker-host.ts works with. */
export interface HostPlan {
  readonly name: string;
  /** unix://, ssh:// or tcp://. */
  readonly docker: string;
  /** From the folder of Pulumi.yaml on. */
  readonly certificates?: string;
  readonly address: string;
}

export interface NodePlan {
  readonly name: string;
  /** null: the engine of this machine, or of DOCKER_HOST. */
  readonly host: HostPlan | null;
  readonly container: string;
  readonly image: string;
  readonly labels: Labels;
  readonly dataVolume: string;
  readonly configurationVolume: string;
  readonly initdbJob: string;
  readonly baseBackupJob: string;
  readonly address: string | null;
  readonly published: HostPort | null;
  /** Where clients find the node: where it is published, or else by its name on the network. */
  readonly clientEndpoint: HostPort;
  /** The node it streams from; null for the primary. */
  readonly upstream: string | null;
  /** The physical slot that it streams from, wherever that is. */
  readonly slot: string;
  /** How its base backup job reaches the upstream; "" for the primary. It holds no password. */
  readonly baseBackupConninfo: string;
  readonly rejoinJob: string;
  /** How that job reaches the primary; "" for the primary. It holds no password. */
  readonly rejoinConninfo: string;
  /** PostgreSQL's own notation, for example "30min". */
  readonly applyDelay: string | null;
  /** Names and addresses that its certificate is good for. */
  readonly certificateNames: readonly string[];
  /** Every parameter that its files set. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The files of its configuration volume that hold no secret and are effective as soon as they are written. */
  readonly files: readonly PlannedFile[];
  /** What its server is configured by: effective one node after the other, so that a crash changes no order. */
  readonly serverFiles: readonly PlannedFile[];
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export interface PlannedFile {
  /** Absolute, below the mount of the configuration volume. */
  readonly path: string;
  readonly content: string;
  /** Permission bits, for example 0o640. */
  readonly mode: number;
}
