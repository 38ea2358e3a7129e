import { hostBesides } from "./host-besides.ts";
import { spanSeconds } from "./durations.ts";
import { parameterText } from "./parameter-values.ts";
import { postgresMajorOf } from "./postgres-major.ts";
import type {
  BootstrapSettings,
  DrillSettings,
  HostSettings,
  NodeSettings,
  ObjectiveSettings,
  Settings,
  SynchronousSettings,
  OwnAuthority,
} from "./settings.ts";
import type { StackFile } from "./stack-file.ts";
import { METRICS_PORT, defaultConnectionLimit } from "./topology-needs.ts";

/** Completes a stack file in which no problem was found. */
export function resolve(file: StackFile): Settings {
  const { image, primary, database, accessRules, archiving, backup, initdb, deletionProtection, acknowledge } = file;
  const entries = Object.entries(file.hosts).map(([name, host]) => [name, resolveHost(name, host)] as const);
  const hosts = Object.fromEntries(entries);
  const { monitoring } = file;
  const nodes = file.nodes.map((node) => resolveNode(node, hosts, monitoring.enabled));
  const backupHost = hostBesides(backup.host, hosts, nodes);
  return {
    image,
    postgresMajor: majorOf(file),
    primary,
    hosts,
    nodes,
    network: {
      subnet: file.network.subnet ?? null,
      bindAddress: file.network.bindAddress,
      operators: file.network.operators ?? [],
    },
    database,
    replication: {
      user: file.replication.user,
      connectionLimit: file.replication.connectionLimit ?? defaultConnectionLimit(file.nodes.length - 1),
      synchronous: resolveSynchronous(file.replication.synchronous),
    },
    parameters: Object.fromEntries(
      Object.entries(file.parameters).map(([name, value]) => [name, parameterText(value)]),
    ),
    accessRules,
    archiving,
    guard: file.guard,
    hooks: { afterPromotion: file.hooks.afterPromotion ?? null },
    backup: { ...backup, host: backup.enabled ? backupHost : null },
    drill: resolveDrill(file.drill),
    objectives: resolveObjectives(file.objectives),
    bootstrap: resolveBootstrap(file.bootstrap),
    monitoring: {
      enabled: monitoring.enabled,
      host: monitoring.enabled ? hostBesides(monitoring.host ?? backupHost?.name, hosts, nodes) : null,
      port: monitoring.port ?? null,
    },
    initdb,
    passwords: file.passwords,
    certificateAuthority: file.certificateAuthority,
    ownAuthority: resolveOwnAuthority(file.ownAuthority),
    deletionProtection,
    acknowledge: { ...acknowledge, failover: acknowledge.failover ?? null },
  };
}

function majorOf({ image, postgresMajor }: StackFile): number {
  const major = postgresMajorOf(image, postgresMajor);
  if (major === null) throw new Error("the checks have let an image pass whose version is not known");
  return major;
}

const resolveHost = (name: string, { docker, address, certificates }: StackFile["hosts"][string]): HostSettings => ({
  name,
  docker,
  address,
  certificates: certificates ?? null,
});

function resolveNode(node: StackFile["nodes"][number], hosts: Settings["hosts"], isWatched: boolean): NodeSettings {
  const { name, port, metricsPort = METRICS_PORT, address, upstream, applyDelay, image } = node;
  const host = (node.host === undefined ? undefined : hosts[node.host]) ?? null;
  return {
    name,
    host,
    metricsPort: host === null || !isWatched ? null : metricsPort,
    port: port ?? null,
    address: address ?? null,
    upstream: upstream ?? null,
    applyDelay: applyDelay ?? null,
    image: image ?? null,
  };
}

function resolveSynchronous(file: StackFile["replication"]["synchronous"]): SynchronousSettings {
  const { mode, count = 1, includeBackup, whenStandbyMissing = "wait" } = file;
  return mode === "async" ? { mode } : { mode, count, includeBackup, whenStandbyMissing };
}

const resolveOwnAuthority = ({ certificate, privateKey }: StackFile["ownAuthority"]): OwnAuthority | null =>
  certificate === undefined || privateKey === undefined
    ? null
    : { certificatePem: certificate, privateKeyPem: privateKey };

const resolveDrill = ({ enabled, every, assertions }: StackFile["drill"]): DrillSettings => ({
  enabled,
  everySeconds: every === undefined ? null : spanSeconds(every),
  assertions,
});

const resolveBootstrap = ({ from }: StackFile["bootstrap"]): BootstrapSettings | null =>
  from === undefined ? null : { stack: from.stack, at: from.at ?? null };

const resolveObjectives = (file: StackFile["objectives"]): ObjectiveSettings => ({
  rpoSeconds: file.rpoSeconds ?? null,
  rtoSeconds: file.rtoSeconds ?? null,
  maxReplayLagBytes: file.maxReplayLagBytes ?? null,
  maxWriteGapMs: file.maxWriteGapMs ?? null,
  enforce: file.enforce,
});
