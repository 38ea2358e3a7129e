import { quoteForConf, quoteForShell, render } from "../config-templates/render.ts";
import { SUPERUSER } from "./access-rules.ts";
import { CONFIGURATION_FILES, CONFIGURATION_MOUNT } from "./layout.ts";
import { placed } from "./placed.ts";
import type { PlacedNode } from "./placed.ts";
import type { NodePlan, Plan } from "./plan.ts";

/** A volume in a job's container. */
export interface PlannedMount {
  readonly volume: string;
  readonly path: string;
  readonly readOnly: boolean;
}

/** Where a job that founds a cluster sees the data of another node. */
export const peerMount = (peer: NodePlan): PlannedMount => ({
  volume: peer.dataVolume,
  path: `/peers/${peer.name}`,
  readOnly: true,
});

/** The data volume of a node on another host. */
export interface PlannedPeer extends PlacedNode {
  readonly volume: string;
}

/**
 * The job that founds the cluster. It sees the volumes of the other nodes on its host, and `elsewhere` are those that it
 * cannot see: where one holds data, nothing is founded.
 */
export function initdbJob(plan: Plan): {
  readonly script: string;
  readonly mounts: PlannedMount[];
  readonly elsewhere?: { readonly nodes: PlannedPeer[]; readonly dataMount: string; readonly dataDirectory: string };
} {
  const { layout, primary } = plan;
  const standbys = plan.standbys.filter((peer) => peer.host?.name === primary.host?.name);
  const elsewhere = plan.standbys.filter((peer) => !standbys.includes(peer));
  const script = render("initdb.sh", {
    layout,
    node: primary.name,
    postgresMajor: plan.postgresMajor,
    peers: standbys.map((peer) => peer.name),
    peerDataDirectory: layout.dataDirectory.slice(layout.dataMount.length + 1),
    superuser: SUPERUSER,
    // The entrypoint gives these words to eval.
    initdbArguments: plan.initdbArguments.map(quoteForShell).join(" "),
  });
  const mounts = [{ volume: primary.dataVolume, path: layout.dataMount, readOnly: false }, ...standbys.map(peerMount)];
  const peers = elsewhere.map((peer) => ({ ...placed(peer), volume: peer.dataVolume }));
  const { dataMount, dataDirectory } = layout;
  return { script, mounts, ...(peers.length === 0 ? {} : { elsewhere: { nodes: peers, dataMount, dataDirectory } }) };
}

/** What the job that fills the data volume of a standby runs. */
export function baseBackupScript(plan: Plan, node: NodePlan, systemIdentifier: string): string {
  return render("base-backup.sh", {
    layout: plan.layout,
    node: node.name,
    postgresMajor: plan.postgresMajor,
    systemIdentifier,
    dataVolume: node.dataVolume,
    conninfo: node.baseBackupConninfo,
    slot: node.slot,
    compression: baseBackupCompression(plan),
  });
}

/** The first that has it on the side of the server. */
const FIRST_MAJOR_WITH_COMPRESSED_TRANSFER = 15;

/** Between hosts the way is slower than lz4 is; on one engine nothing is. */
const baseBackupCompression = ({ hosts, postgresMajor }: Plan): string[] =>
  hosts.length > 1 && postgresMajor >= FIRST_MAJOR_WITH_COMPRESSED_TRANSFER ? ["server-lz4"] : [];

/** The volumes of that job: certificates and password come from the configuration volume of the node that it fills. */
export function baseBackupMounts({ layout }: Plan, node: NodePlan): PlannedMount[] {
  return [
    { volume: node.dataVolume, path: layout.dataMount, readOnly: false },
    { volume: node.configurationVolume, path: CONFIGURATION_MOUNT, readOnly: true },
  ];
}

/** Before, it starts a server that was killed with the configuration that initdb wrote, which is enough to recover. */
const FIRST_MAJOR_WITH_REWIND_CONFIG_FILE = 15;

/** What the job runs that lets the data of a stopped node follow the primary again. */
export function rejoinScript(plan: Plan, node: NodePlan): string {
  return render("rejoin.sh", {
    layout: plan.layout,
    primary: plan.primary.name,
    conninfo: node.rejoinConninfo,
    configFile: plan.postgresMajor >= FIRST_MAJOR_WITH_REWIND_CONFIG_FILE ? [CONFIGURATION_FILES.postgresqlConf] : [],
    slot: node.slot,
    compression: baseBackupCompression(plan),
  });
}

/** What the job runs that lets the server judge parameters; null: there are none to judge. */
export function checkParametersScript(parameters: Readonly<Record<string, string>>): string | null {
  const lines = Object.entries(parameters).map(([name, value]) => ({ line: `${name} = ${quoteForConf(value)}` }));
  return lines.length === 0 ? null : render("check-parameters.sh", { parameters: lines });
}
