import { render } from "../config-templates/render.ts";
import type { BootstrapSettings } from "../settings/settings.ts";
import { peerMount } from "./jobs.ts";
import type { PlannedMount, PlannedPeer } from "./jobs.ts";
import { BACKUP_HOME, barmanFolders } from "./layout.ts";
import * as names from "./names.ts";
import type { Labels } from "./names.ts";
import { on } from "./placed.ts";
import type { NodePlan, Plan } from "./plan.ts";

/** The backups that a cluster is founded from, and the jobs that look at them and that found it. */
export interface BootstrapPlan {
  /** The stack that they are of. */
  readonly stack: string;
  /** Up to which moment, with its time zone; null: all there is. */
  readonly at: string | null;
  /** The volume of its backup server. */
  readonly volume: string;
  /** The names of all such volumes of the project, with a star for the stack. */
  readonly volumePattern: string;
  readonly image: string;
  readonly postgresMajor: number;
  readonly labels: Labels;
  readonly lookJob: string;
  readonly lookMounts: readonly PlannedMount[];
  readonly catalogueScript: string;
  /** Takes what is looked for, and its name or moment. */
  readonly findScript: string;
  readonly job: string;
  readonly mounts: readonly PlannedMount[];
  /** Takes the id of a backup, and the parameter that says where recovery ends. */
  readonly script: string;
  /** The node that is founded, and where its data is. */
  readonly node: PlannedPeer;
  readonly dataMount: string;
  readonly dataDirectory: string;
}

/** null: the cluster is founded empty. */
export function bootstrapPlan(plan: Omit<Plan, "bootstrap">, settings: BootstrapSettings | null): BootstrapPlan | null {
  if (settings === null) return null;
  const { layout, primary, image, postgresMajor, labels } = plan;
  // Those on other hosts the job does not see: they are looked into before it.
  const standbys = plan.standbys.filter((peer) => peer.host?.name === primary.host?.name);
  const { project } = plan.identity;
  const source = { project, stack: settings.stack };
  const server = names.barmanServerName(source);
  const folders = barmanFolders(server);
  const volume = names.backupVolumeName(source);
  const script = render("bootstrap.sh", {
    ...folders,
    home: BACKUP_HOME,
    server,
    layout,
    node: primary.name,
    peers: standbys.map((peer) => peer.name),
    peerDataDirectory: layout.dataDirectory.slice(layout.dataMount.length + 1),
  });
  return {
    ...settings,
    volume,
    volumePattern: names.backupVolumeName({ project, stack: "*" }),
    image,
    postgresMajor,
    labels,
    lookJob: names.jobName(plan.identity, primary.name, "look-at-backups"),
    lookMounts: [{ volume, path: BACKUP_HOME, readOnly: true }],
    catalogueScript: render("barman-catalogue.sh", { ...folders, home: BACKUP_HOME }),
    findScript: render("find-in-wal.sh", folders),
    job: names.jobName(plan.identity, primary.name, "bootstrap"),
    mounts: mounts(primary, standbys, layout.dataMount, volume),
    script,
    node: { name: primary.name, container: primary.container, volume: primary.dataVolume, ...on(primary.host) },
    dataMount: layout.dataMount,
    dataDirectory: layout.dataDirectory,
  };
}

/** Barman's volume is written to for a lock only. */
const mounts = (
  primary: NodePlan,
  standbys: readonly NodePlan[],
  dataMount: string,
  backups: string,
): PlannedMount[] => [
  { volume: backups, path: BACKUP_HOME, readOnly: false },
  { volume: primary.dataVolume, path: dataMount, readOnly: false },
  ...standbys.map(peerMount),
];
