import { render } from "../config-templates/render.ts";
import type { NodeSettings, Settings } from "../settings/settings.ts";
import { hbaRules } from "./access-rules.ts";
import { backupPlan } from "./backup.ts";
import { bootstrapPlan } from "./bootstrap.ts";
import { dynamicRange } from "./dynamic-range.ts";
import { hostPlan } from "./host-plan.ts";
import { checkParametersScript } from "./jobs.ts";
import { ARCHIVE_MOUNT, CONFIGURATION_FILES, SERVER_PORT, layoutOf } from "./layout.ts";
import type { Layout } from "./layout.ts";
import { monitoringPlan } from "./monitoring.ts";
import * as names from "./names.ts";
import type { StackIdentity } from "./names.ts";
import { SLOT_WAL_MEGABYTES, effectiveParameters, parameterLayers } from "./parameters.ts";
import type { HostPort, NetworkPlan, NodePlan, Plan, PlannedFile } from "./plan.ts";
import { replicationConninfo } from "./primary-conninfo.ts";
import { replicationParameters } from "./replication-parameters.ts";
import { confirmations, synchronousCandidates } from "./synchronous-standby-names.ts";

/** Everything that follows from the settings, decided in one place: no resource is touched, no clock is read. */
export function makePlan(settings: Settings, identity: StackIdentity): Plan {
  const layout = layoutOf(settings.postgresMajor);
  const nodes = settings.nodes.map((node) => nodePlan(settings, identity, layout, node));
  const primary = nodes.find((node) => node.name === settings.primary);
  if (primary === undefined) throw new Error(`primary ${settings.primary} is not among the nodes`);
  const archiveVolume = settings.archiving.enabled ? names.archiveVolumeName(identity) : null;
  const backup = backupPlan(settings, identity);
  const plan = {
    identity,
    labels: names.stackLabels(identity),
    image: settings.image,
    postgresMajor: settings.postgresMajor,
    layout,
    network: networkPlan(settings, identity),
    hosts: Object.values(settings.hosts).map(hostPlan),
    archiveVolume,
    irreplaceableVolumes: [
      ...(archiveVolume === null ? [] : [{ volume: archiveVolume, holds: "the archived WAL" }]),
      ...(backup === null ? [] : [{ volume: backup.volume, holds: "all backups" }]),
    ],
    synchronousStandbys: confirmations(settings.replication.synchronous),
    nodes,
    primary,
    standbys: upstreamFirst(
      nodes.filter((node) => node !== primary),
      primary.name,
    ),
    clientEndpoints: clientEndpoints(nodes),
    otherSlots: settings.backup.enabled ? [names.BACKUP_SLOT] : [],
    replicationUser: { name: settings.replication.user, connectionLimit: settings.replication.connectionLimit },
    database: settings.database,
    guarantee: guarantee(settings),
    whenStandbyMissing: whenStandbyMissing(settings),
    parameterCheck: parameterCheck(settings, identity),
    certificateAuthority: settings.certificateAuthority,
    initdbArguments: [
      "--data-checksums",
      "--auth-local=peer",
      "--auth-host=scram-sha-256",
      ...settings.initdb.arguments,
    ],
    deletionProtection: settings.deletionProtection,
    backup,
    monitoring: monitoringPlan(settings, identity),
    objectives: objectivesPlan(settings),
    acknowledge: settings.acknowledge,
    hooks: settings.hooks,
  };
  return { ...plan, bootstrap: bootstrapPlan(plan, settings.bootstrap) };
}

/** Where writes may go on without a standby that is missing, nothing is certain of a primary that has died. */
function guarantee(settings: Settings): Plan["guarantee"] {
  const { synchronous } = settings.replication;
  if (synchronous.mode === "async" || synchronous.whenStandbyMissing === "degrade") return null;
  const candidates = synchronousCandidates(settings, settings.primary).map((node) => node.name);
  return { count: synchronous.count, candidates };
}

function objectivesPlan({ objectives }: Settings): Plan["objectives"] {
  const { rpoSeconds, rtoSeconds, maxReplayLagBytes, maxWriteGapMs } = objectives;
  const figures = [rpoSeconds, rtoSeconds, maxReplayLagBytes, maxWriteGapMs];
  return figures.every((figure) => figure === null) ? null : objectives;
}

const whenStandbyMissing = ({ replication: { synchronous } }: Settings): Plan["whenStandbyMissing"] =>
  synchronous.mode === "async" ? "wait" : synchronous.whenStandbyMissing;

function parameterCheck(settings: Settings, identity: StackIdentity): Plan["parameterCheck"] {
  const script = checkParametersScript(settings.parameters);
  return script === null ? null : { job: names.jobName(identity, settings.primary, "check-parameters"), script };
}

function networkPlan({ network }: Settings, identity: StackIdentity): NetworkPlan {
  const { subnet } = network;
  return { name: names.networkName(identity), subnet, dynamicRange: subnet === null ? null : dynamicRange(subnet) };
}

function nodePlan(settings: Settings, identity: StackIdentity, layout: Layout, node: NodeSettings): NodePlan {
  const container = names.containerName(identity, node.name);
  const bindAddress = node.host?.address ?? settings.network.bindAddress;
  const published = node.port === null ? null : { host: bindAddress, port: node.port };
  const upstream = node.name === settings.primary ? null : (node.upstream ?? settings.primary);
  const source = settings.nodes.filter((other) => other.name === upstream);
  const baseBackupJob = names.jobName(identity, node.name, "base-backup");
  const rejoinJob = names.jobName(identity, node.name, "rejoin");
  const primary = settings.nodes.filter((other) => other.name === settings.primary);
  return {
    name: node.name,
    host: node.host === null ? null : hostPlan(node.host),
    container,
    image: node.image ?? settings.image,
    labels: names.nodeLabels(identity, node.name),
    dataVolume: names.dataVolumeName(identity, node.name),
    configurationVolume: names.configurationVolumeName(identity, node.name),
    initdbJob: names.jobName(identity, node.name, "initdb"),
    baseBackupJob,
    address: node.address,
    published,
    clientEndpoint: clientEndpoint(published, node),
    upstream,
    slot: names.slotName(node.name),
    baseBackupConninfo: upstream === null ? "" : replicationConninfo(settings, baseBackupJob, source),
    rejoinJob,
    rejoinConninfo: upstream === null ? "" : replicationConninfo(settings, rejoinJob, primary),
    applyDelay: node.applyDelay,
    certificateNames: certificateNames(settings, node, container),
    parameters: nodeParameters(settings, node),
    files: programFiles(settings, layout, node),
    serverFiles: serverFiles(settings, node),
  };
}

/** Bound to every address of the host, a port is reached at the loopback address from the host itself. */
function clientEndpoint(published: HostPort | null, node: NodeSettings): HostPort {
  if (published === null) return { host: node.address ?? node.name, port: SERVER_PORT };
  return published.host === "0.0.0.0" ? { host: "127.0.0.1", port: published.port } : published;
}

/** A host that a client cannot resolve would end its search: unpublished nodes are named only where none is published. */
function clientEndpoints(nodes: readonly NodePlan[]): HostPort[] {
  const published = nodes.filter((node) => node.published !== null);
  return (published.length > 0 ? published : nodes).map((node) => node.clientEndpoint);
}

function certificateNames(settings: Settings, node: NodeSettings, container: string): string[] {
  const bind = node.host?.address ?? settings.network.bindAddress;
  const names = [node.name, container, "localhost", "127.0.0.1", ...(node.address === null ? [] : [node.address])];
  return bind === "0.0.0.0" || names.includes(bind) ? names : [...names, bind];
}

function programFiles(settings: Settings, layout: Layout, node: NodeSettings): PlannedFile[] {
  const peers = settings.nodes.filter((other) => other.name !== node.name);
  const archive = { archive: ARCHIVE_MOUNT, node: node.name, standbys: peers.map((peer) => peer.name) };
  const archiveFiles = settings.archiving.enabled
    ? [
        { path: CONFIGURATION_FILES.archiveWal, content: render("archive-wal.sh", archive), mode: 0o755 },
        {
          path: CONFIGURATION_FILES.recordArchiveNeed,
          content: render("record-archive-need.sh", archive),
          mode: 0o755,
        },
      ]
    : [];
  const guardPeers = peers.map((peer) => ({
    name: peer.name,
    conninfo: replicationConninfo(settings, node.name, [peer]),
  }));
  const guard = {
    ...{ node: node.name, layout, peersFile: CONFIGURATION_FILES.peers, slotWalMegabytes: SLOT_WAL_MEGABYTES },
    ...settings.guard,
  };
  return [
    // Before the guard: one that starts in between finds whom to ask.
    { path: CONFIGURATION_FILES.peers, content: render("peers", { peers: guardPeers }), mode: 0o640 },
    { path: CONFIGURATION_FILES.guard, content: render("guard.sh", guard), mode: 0o755 },
    ...archiveFiles,
  ];
}

function serverFiles(settings: Settings, node: NodeSettings): PlannedFile[] {
  return [
    { path: CONFIGURATION_FILES.postgresqlConf, content: postgresqlConf(settings, node), mode: 0o640 },
    { path: CONFIGURATION_FILES.replicationConf, content: replicationConf(settings, node), mode: 0o640 },
    { path: CONFIGURATION_FILES.hba, content: render("pg_hba.conf", hbaRules(settings)), mode: 0o640 },
  ];
}

function postgresqlConf(settings: Settings, node: NodeSettings): string {
  const { slotBoundFile } = layoutOf(settings.postgresMajor);
  const layers = parameterLayers(settings);
  const effective = effectiveParameters(layers);
  const own = new Set(layers.owned);
  const user = new Set(layers.user);
  return render("postgresql.conf", {
    node: node.name,
    decided: effective.filter((line) => !own.has(line) && !user.has(line)),
    slotWalMegabytes: SLOT_WAL_MEGABYTES,
    slotBoundFile,
    user: effective.filter((line) => user.has(line)),
    owned: effective.filter((line) => own.has(line)),
    replicationConf: CONFIGURATION_FILES.replicationConf,
  });
}

/** replication.conf is included last: it wins. */
function nodeParameters(settings: Settings, node: NodeSettings): Record<string, string> {
  const lines = [...effectiveParameters(parameterLayers(settings)), ...replicationParameters(settings, node)];
  return Object.fromEntries(lines.map(({ name, value }) => [name, value]));
}

function replicationConf(settings: Settings, node: NodeSettings): string {
  return render("replication.conf", { node: node.name, parameters: replicationParameters(settings, node) });
}

/** A base backup is taken from the node's upstream, which has to be there first. Settings hold no cycle. */
function upstreamFirst(standbys: readonly NodePlan[], primary: string): NodePlan[] {
  const ordered: NodePlan[] = [];
  const there = new Set([primary]);
  while (ordered.length < standbys.length) {
    const next = standbys.filter((node) => !there.has(node.name) && node.upstream !== null && there.has(node.upstream));
    if (next.length === 0) throw new Error("the upstreams of the standbys do not lead to the primary");
    for (const node of next) there.add(node.name);
    ordered.push(...next);
  }
  return ordered;
}
