import type Docker from "dockerode";
import { placesOf } from "./docker-host.ts";
import type { DockerHost, OnHost } from "./docker-host.ts";
import { engineOf, removeContainer, statusCode } from "./engine.ts";
import { labelFilters } from "./node.ts";
import type { StackLabels } from "./node.ts";
import { isRegistered } from "./registration.ts";

/** A Docker object with the stack's labels. */
export interface StackObject extends OnHost {
  readonly kind: "container" | "job" | "network" | "volume";
  readonly id: string;
  readonly name: string;
  /** Whether an update got as far as knowing it, or a container that uses it; always false for jobs. */
  readonly registered: boolean;
}

/** How the objects of a stack are told. */
export interface StackMarks {
  readonly labels: StackLabels;
  /** The label whose value names a node. */
  readonly nodeLabel: string;
  /** The label of volumes that are of use to one update only. */
  readonly scratchLabel: string;
  /** Without it: the engine of this machine, or of DOCKER_HOST. */
  readonly hosts?: readonly DockerHost[];
}

/** Containers, jobs, networks and scratch volumes of a stack. No other volume is ever listed: they hold the data. */
export async function stackObjects(marks: StackMarks): Promise<StackObject[]> {
  return (await Promise.all(placesOf(marks).map((on) => objectsOn(on, marks)))).flat();
}

async function objectsOn(on: OnHost, { labels, nodeLabel, scratchLabel }: StackMarks): Promise<StackObject[]> {
  const docker = engineOf(on);
  const filters = { label: labelFilters(labels) };
  const [containers, networks, { Volumes: scratch }] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listNetworks({ filters }),
    docker.listVolumes({ filters: { label: [...filters.label, scratchLabel] } }),
  ]);
  const found = await Promise.all(containers.map((container) => containerObject(on, container, nodeLabel)));
  const registered = new Set(found.filter((object) => object.registered).map((object) => object.id));
  const used = new Set(containers.filter((container) => registered.has(container.Id)).flatMap(networkIds));
  return [
    ...found,
    ...networks.map((network): StackObject => ({
      kind: "network",
      id: network.Id,
      name: network.Name,
      registered: used.has(network.Id),
      ...on,
    })),
    ...scratch.map(({ Name }): StackObject => ({ kind: "volume", id: Name, name: Name, registered: false, ...on })),
  ];
}

const networkIds = (container: Docker.ContainerInfo): string[] =>
  Object.values(container.NetworkSettings.Networks).map((network) => network.NetworkID);

async function containerObject(on: OnHost, container: Docker.ContainerInfo, nodeLabel: string): Promise<StackObject> {
  const name = (container.Names[0] ?? container.Id).replace(/^\//, "");
  const registered = await isRegistered(engineOf(on), container.Id);
  const isLasting = registered || container.Labels[nodeLabel] !== undefined;
  return { kind: isLasting ? "container" : "job", id: container.Id, name, registered, ...on };
}

/** Stops and removes objects, containers before all else. A server is stopped cleanly; its data stays in its volumes. */
export async function removeObjects(objects: readonly StackObject[]): Promise<void> {
  const of = (...kinds: readonly StackObject["kind"][]): StackObject[] =>
    objects.filter(({ kind }) => kinds.includes(kind));
  await Promise.all(of("container", "job").map((object) => removeGently(object)));
  for (const network of of("network")) await engineOf(network).getNetwork(network.id).remove().catch(unlessGone);
  for (const volume of of("volume")) await engineOf(volume).getVolume(volume.id).remove().catch(unlessGone);
}

const STOP_TIMEOUT_SECONDS = 120;

async function removeGently(object: StackObject): Promise<void> {
  const docker = engineOf(object);
  if (object.kind === "container") {
    await docker.getContainer(object.id).stop({ t: STOP_TIMEOUT_SECONDS }).catch(unlessGone);
  }
  await removeContainer(docker, object.id);
}

function unlessGone(error: unknown): void {
  if (statusCode(error) !== 404 && statusCode(error) !== 304) throw error;
}

export const describeObject = ({ kind, name, host }: StackObject): string =>
  `${kind} ${name}${host === undefined ? "" : ` on ${host.name}`}`;
