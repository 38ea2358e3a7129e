import { createHash } from "node:crypto";
import type * as docker from "@pulumi/docker";
import { ARCHIVE_MOUNT, CONFIGURATION_FILES, CONFIGURATION_MOUNT, SERVER_PORT } from "../plan/layout.ts";
import { LABELS } from "../plan/names.ts";
import { placed } from "../plan/placed.ts";
import type { NodePlan, Plan } from "../plan/plan.ts";
import type { EarlierTurn } from "../operations/container-turn.ts";
import type { PlannedContainer } from "../operations/refused-turns.ts";
import { asLabels } from "./labels.ts";

/** A clean stop writes a checkpoint: it may take a while, and must never become a kill. */
const STOP_TIMEOUT_SECONDS = 120;
/** /dev/shm, for parallel queries: Docker's 64 MB are too few. */
const SHM_MEGABYTES = 256;

/**
 * What the container of a node is made of: constant for as long as the node lives, since nearly every change of it
 * replaces the container. All values are written as the engine reports them, so that a refresh finds no difference.
 */
export function nodeContainer(plan: Plan, node: NodePlan): docker.ContainerArgs {
  const args = withoutGeneration(plan, node);
  return { ...args, labels: asLabels({ ...node.labels, [LABELS.generation]: generationOf(plan, node) }) };
}

/** Another one for every other container. */
export const generationOf = (plan: Plan, node: NodePlan): string =>
  createHash("sha256")
    .update(JSON.stringify(withoutGeneration(plan, node)))
    .digest("hex")
    .slice(0, 12);

/**
 * The containers of all nodes in the order in which they are replaced: one at a time, a cascading standby before its
 * upstream, and the primary last.
 */
export const containerTurns = (plan: Plan): PlannedContainer[] =>
  [...plan.standbys.toReversed(), plan.primary].map((node) => ({
    node: placed(node),
    generation: generationOf(plan, node),
    image: node.image,
  }));

/** Whose containers are replaced before that of a node. */
export function earlierTurns(plan: Plan, { name }: NodePlan): EarlierTurn[] {
  const turns = containerTurns(plan).map(({ node, generation }) => ({ node, generation }));
  return turns.slice(
    0,
    turns.findIndex(({ node }) => node.name === name),
  );
}

function withoutGeneration(plan: Plan, node: NodePlan) {
  const volume = (source: string, target: string, readOnly: boolean): docker.types.input.ContainerMount => ({
    type: "volume",
    source,
    target,
    readOnly,
  });
  return {
    name: node.container,
    hostname: node.name,
    image: node.image,
    entrypoints: [CONFIGURATION_FILES.guard],
    command: ["docker-entrypoint.sh", "postgres", "-c", `config_file=${CONFIGURATION_FILES.postgresqlConf}`],
    envs: [`PGDATA=${plan.layout.dataDirectory}`],
    mounts: [
      volume(node.dataVolume, plan.layout.dataMount, false),
      volume(node.configurationVolume, CONFIGURATION_MOUNT, true),
      ...(plan.archiveVolume === null ? [] : [volume(plan.archiveVolume, ARCHIVE_MOUNT, false)]),
    ],
    networkMode: "bridge",
    networksAdvanced: [
      {
        name: plan.network.name,
        aliases: [node.name],
        ...(node.address === null ? {} : { ipv4Address: node.address }),
      },
    ],
    ports:
      node.published === null
        ? []
        : [{ internal: SERVER_PORT, external: node.published.port, ip: node.published.host, protocol: "tcp" }],
    restart: "unless-stopped",
    stopSignal: "SIGINT",
    stopTimeout: STOP_TIMEOUT_SECONDS,
    destroyGraceSeconds: STOP_TIMEOUT_SECONDS,
    shmSize: SHM_MEGABYTES,
    // A stopped node is started by its Server, not replaced.
    mustRun: false,
  };
}
