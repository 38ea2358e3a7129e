import type Docker from "dockerode";
import { inspectContainer } from "./engine.ts";
import { OperationError } from "./errors.ts";

/** One node: its name in the topology, and the container in which its server runs. */
export interface Node {
  readonly name: string;
  readonly container: string;
}

/** Labels that every Docker object of one stack carries. */
export type StackLabels = Readonly<Record<string, string>>;

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** The port of every server inside its container. */
const SERVER_PORT = 5432;

const EVERY_ADDRESS = new Set(["", "0.0.0.0", "::"]);

/** Where the server of a node is reached from here: where it is published, or else at its container's address. */
export async function serverEndpoint(docker: Docker, node: Node): Promise<HostPort> {
  const container = await inspectContainer(docker, node.container);
  const published = container?.NetworkSettings.Ports[`${SERVER_PORT}/tcp`]?.[0];
  if (published !== undefined) return { host: reachable(published.HostIp), port: Number(published.HostPort) };
  const networks = Object.values(container?.NetworkSettings.Networks ?? {});
  const address = networks.map((network) => network.IPAddress).find((candidate) => candidate !== "");
  if (address === undefined) throw new OperationError(`${node.name} has no address: its container is not running.`);
  return { host: address, port: SERVER_PORT };
}

/** The same by what the engine lists of a container; null: it is not running. */
export function listedEndpoint(container: Docker.ContainerInfo): HostPort | null {
  const published = container.Ports.find((port) => port.PrivatePort === SERVER_PORT && port.PublicPort);
  if (published !== undefined) return { host: reachable(published.IP), port: published.PublicPort };
  const [network] = Object.values(container.NetworkSettings.Networks);
  return network?.IPAddress ? { host: network.IPAddress, port: SERVER_PORT } : null;
}

const reachable = (host: string): string => (EVERY_ADDRESS.has(host) ? "127.0.0.1" : host);

/**
 * The nodes of a stack that have a container, in the order of their names. The engine is asked, not the state or the
 * plan: neither knows what was done since by hand or by an update that was interrupted.
 */
export async function findNodes(docker: Docker, labels: StackLabels, nodeLabel: string): Promise<Node[]> {
  const filters = { label: [...labelFilters(labels), nodeLabel] };
  const containers = await docker.listContainers({ all: true, filters });
  return containers
    .map((container) => ({
      name: container.Labels[nodeLabel] ?? "",
      container: (container.Names[0] ?? "").replace(/^\//, ""),
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

export const labelFilters = (labels: StackLabels): string[] =>
  Object.entries(labels).map(([key, value]) => `${key}=${value}`);
