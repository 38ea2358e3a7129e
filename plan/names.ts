/** Who a topology is among all topologies of an engine. */
export interface StackIdentity {
  readonly project: string;
  readonly stack: string;
}

/** Every Docker object of a topology carries these, so that what belongs to a stack can be found without its state. */
export const LABELS = {
  project: "pg-topology.project",
  stack: "pg-topology.stack",
  node: "pg-topology.node",
  /** Of a container: changes with everything else that it is made of. */
  generation: "pg-topology.generation",
  /** Of a container: changes when the files that it reads at its start do. */
  filesWrittenAt: "pg-topology.files-written-at",
  restoredFrom: "pg-topology.restored-from",
  /** Of a volume: what is in it is of use to one update only. */
  scratch: "pg-topology.scratch",
} as const;

export type Labels = Readonly<Record<string, string>>;

export function stackLabels(identity: StackIdentity): Labels {
  return { [LABELS.project]: identity.project, [LABELS.stack]: identity.stack };
}

export function scratchLabels(identity: StackIdentity, what: string): Labels {
  return { ...stackLabels(identity), [LABELS.scratch]: what };
}

export function nodeLabels(identity: StackIdentity, node: string): Labels {
  return { ...stackLabels(identity), [LABELS.node]: node };
}

const prefixed = (identity: StackIdentity, what: string): string => `${identity.project}-${identity.stack}-${what}`;

export const networkName = (identity: StackIdentity): string => prefixed(identity, "network");
export const archiveVolumeName = (identity: StackIdentity): string => prefixed(identity, "archive");
export const containerName = (identity: StackIdentity, node: string): string => prefixed(identity, node);
export const dataVolumeName = (identity: StackIdentity, node: string): string => prefixed(identity, `${node}-data`);
export const configurationVolumeName = (identity: StackIdentity, node: string): string =>
  prefixed(identity, `${node}-configuration`);

/** A dot cannot occur in a node's name, so that no job's name is ever a node's container name. */
export const jobName = (identity: StackIdentity, node: string, job: Job): string =>
  `${containerName(identity, node)}.${job}`;

export type Job = "initdb" | "look-at-backups" | "bootstrap" | "base-backup" | "check-parameters" | "rejoin";

/** Slot names allow lower-case letters, digits and underscores only (PostgreSQL, "Replication Slots"). */
export const slotName = (node: string): string => node.replaceAll("-", "_");

/** The backup server on the network; no node can have this name beside it. */
export const BACKUP_HOST = "barman";
export const BACKUP_SLOT = "barman";
/** As its WAL receiver calls itself to the server: Barman confirms every write where it finds this among those to wait for. */
export const BACKUP_RECEIVER = "barman_receive_wal";
export const backupContainerName = (identity: StackIdentity): string => containerName(identity, BACKUP_HOST);
export const backupVolumeName = (identity: StackIdentity): string => dataVolumeName(identity, BACKUP_HOST);

/** What the topology is called inside Barman: backups of two topologies are never taken for one another's. */
export const barmanServerName = ({ project, stack }: StackIdentity): string => `${project}-${stack}`;

/** Not the labels of the stack: what carries those, and is not in its state, an update removes. */
export const restoredLabels = ({ project, stack }: StackIdentity): Labels => ({
  [LABELS.restoredFrom]: `${project}/${stack}`,
});

/** With a dot, like jobs: never a node's. */
export const restoredName = (identity: StackIdentity): string => `${backupContainerName(identity)}.restored`;
export const drillName = (identity: StackIdentity): string => `${backupContainerName(identity)}.drill`;

/** With a dot: never a node's. */
export const exporterName = (identity: StackIdentity, node: string): string =>
  `${containerName(identity, node)}.exporter`;
export const prometheusName = (identity: StackIdentity): string => `${identity.project}-${identity.stack}.prometheus`;
export const exporterHost = (node: string): string => `${node}.exporter`;
export const exporterVolumeName = (identity: StackIdentity): string => `${identity.project}-${identity.stack}.exporter`;
