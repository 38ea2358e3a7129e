import type Docker from "dockerode";
import type { DockerHost, OnHost } from "./docker-host.ts";
import { EngineGoneError, engineOf, inspectContainer } from "./engine.ts";
import { OperationError } from "./errors.ts";

/** One node: its name in the topology, and the container in which its server runs. */
export interface Node extends OnHost {
  readonly name: string;
  readonly container: string;
  /** Where its server is reached from everywhere; without it, the engine is asked. */
  readonly endpoint?: HostPort;
}

/** How the nodes of a stack are found. */
export interface NodeMarks {
  readonly labels: StackLabels;
  /** The label whose value names a node. */
  readonly nodeLabel: string;
  /** Where there are several hosts: the nodes of the stack file, each with its own. */
  readonly placed?: readonly Node[];
}

/** Labels that every Docker object of one stack carries. */
export type StackLabels = Readonly<Record<string, string>>;

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** The port of every server inside its container. */
const SERVER_PORT = 5432;

export const EVERY_ADDRESS = new Set(["", "0.0.0.0", "::"]);

/** Where the server of a node is reached from here: where it is published, or else at its container's address. */
export async function serverEndpoint(node: Node): Promise<HostPort> {
  if (node.endpoint !== undefined) return node.endpoint;
  const container = await inspectContainer(engineOf(node), node.container);
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
 * The nodes of a stack that have a container, in the order of their names. The engines are asked, not the state or the
 * plan: neither knows what was done since by hand or by an update that was interrupted. What is on a host whose engine
 * does not answer is taken from the plan.
 */
export async function findNodes(marks: NodeMarks): Promise<Node[]> {
  const { placed = [] } = marks;
  const hosts = new Map(placed.flatMap(({ host }) => (host === undefined ? [] : [[host.name, host] as const])));
  if (hosts.size === 0) return nodesOn({}, marks);
  const found = await Promise.all([...hosts.values()].map((host) => nodesOrPlan(host, marks)));
  return inOrder(found.flat());
}

async function nodesOrPlan(host: DockerHost, marks: NodeMarks): Promise<Node[]> {
  const planned = (marks.placed ?? []).filter((node) => node.host?.name === host.name);
  try {
    const nodes = await nodesOn({ host }, marks);
    return nodes.map((node) => planned.find(({ name }) => name === node.name) ?? node);
  } catch (error) {
    if (!(error instanceof EngineGoneError)) throw error;
    return planned;
  }
}

async function nodesOn(on: OnHost, { labels, nodeLabel }: NodeMarks): Promise<Node[]> {
  const filters = { label: [...labelFilters(labels), nodeLabel] };
  const containers = await engineOf(on).listContainers({ all: true, filters });
  const nodes = containers.map((container) => ({
    name: container.Labels[nodeLabel] ?? "",
    container: (container.Names[0] ?? "").replace(/^\//, ""),
    ...on,
  }));
  return inOrder(nodes);
}

const inOrder = (nodes: readonly Node[]): Node[] => nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1));

export const labelFilters = (labels: StackLabels): string[] =>
  Object.entries(labels).map(([key, value]) => `${key}=${value}`);
