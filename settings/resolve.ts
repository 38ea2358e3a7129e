import { spanSeconds } from "./durations.ts";
import { parameterText } from "./parameter-values.ts";
import { postgresMajorOf } from "./postgres-major.ts";
import type {
  BootstrapSettings,
  DrillSettings,
  NodeSettings,
  ObjectiveSettings,
  Settings,
  SynchronousSettings,
} from "./settings.ts";
import type { StackFile } from "./stack-file.ts";
import { defaultConnectionLimit } from "./topology-needs.ts";

/** Completes a stack file in which no problem was found. */
export function resolve(file: StackFile): Settings {
  const { image, primary, database, accessRules, archiving, backup, initdb, deletionProtection, acknowledge } = file;
  return {
    image,
    postgresMajor: majorOf(file),
    primary,
    nodes: file.nodes.map(resolveNode),
    network: { subnet: file.network.subnet ?? null, bindAddress: file.network.bindAddress },
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
    backup,
    drill: resolveDrill(file.drill),
    objectives: resolveObjectives(file.objectives),
    bootstrap: resolveBootstrap(file.bootstrap),
    initdb,
    passwords: file.passwords,
    certificateAuthority: file.certificateAuthority,
    deletionProtection,
    acknowledge: { ...acknowledge, failover: acknowledge.failover ?? null },
  };
}

function majorOf({ image, postgresMajor }: StackFile): number {
  const major = postgresMajorOf(image, postgresMajor);
  if (major === null) throw new Error("the checks have let an image pass whose version is not known");
  return major;
}

function resolveNode({ name, port, address, upstream, applyDelay, image }: StackFile["nodes"][number]): NodeSettings {
  return {
    name,
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
