import { createServer } from "node:net";
import type Docker from "dockerode";
import ipaddr from "ipaddr.js";
import type { OnHost } from "./docker-host.ts";
import { engineOf, unlessMissing } from "./engine.ts";
import { EVERY_ADDRESS } from "./node.ts";
import type { HostPort, StackLabels } from "./node.ts";
import type { ContainerTurns } from "./refused-turns.ts";

/** What a topology needs of an engine before anything is made on it. */
export interface EngineNeeds {
  readonly images: readonly string[];
  readonly postgresMajor: number;
  readonly network: { readonly name: string; readonly subnet: string | null };
  readonly ports: readonly NodePort[];
  /** Those that the stack file fixes, on the network. */
  readonly addresses: readonly NodeAddress[];
  readonly labels: StackLabels;
  readonly turns: ContainerTurns;
}

export interface NodeAddress {
  readonly node: string;
  readonly container: string;
  readonly address: string;
}

export interface NodePort extends HostPort {
  readonly node: string;
  /** What is to publish it. */
  readonly container: string;
  /** The name of its host; without it, there are no hosts. */
  readonly on?: string;
}

/** Everything that would stop the topology from being made, as far as it can be known without making anything: sentences. */
export async function engineProblems(on: OnHost, topology: EngineNeeds): Promise<string[]> {
  const docker = engineOf(on);
  const needs = { ...topology, ports: topology.ports.filter((port) => port.on === on.host?.name) };
  const containers = docker.listContainers({ all: true });
  const [subnet, ports, addresses, ...images] = await Promise.all([
    subnetProblems(docker, needs),
    containers.then((found) => portProblems(found, needs)),
    containers.then((found) => needs.addresses.flatMap((wanted) => heldAddress(found, needs, wanted) ?? [])),
    ...needs.images.map((image) => imageProblems(docker, image, needs.postgresMajor)),
  ]);
  return [...images.flat(), ...subnet, ...ports, ...addresses];
}

/** An image that is not there yet is no problem: it will be pulled. */
async function imageProblems(docker: Docker, name: string, postgresMajor: number): Promise<string[]> {
  const image = await unlessMissing(docker.getImage(name).inspect());
  if (image === undefined) return [];
  const major = environmentOf(image.Config.Env).get("PG_MAJOR");
  const entrypoint = [image.Config.Entrypoint ?? []].flat();
  if (major === undefined || !entrypoint.some((part) => part.endsWith("docker-entrypoint.sh"))) {
    const reason = `expected ${name} to keep the contract of the official postgres image (PG_MAJOR, docker-entrypoint.sh), but it does not. Name an image that is built from the official one in \`image\`.`;
    return [reason];
  }
  if (Number(major) === postgresMajor) return [];
  const reason = `expected PostgreSQL ${postgresMajor} in ${name}, but it holds PostgreSQL ${major}. Name the image by its true version, or set \`postgresMajor: ${major}\`.`;
  return [reason];
}

/** The engine says null of an image that has none. */
const environmentOf = (lines: readonly string[] | null): Map<string, string> =>
  new Map(
    (lines ?? []).map((line): [string, string] => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );

async function subnetProblems(docker: Docker, needs: EngineNeeds): Promise<string[]> {
  const { name, subnet } = needs.network;
  if (subnet === null) return [];
  const networks = await docker.listNetworks();
  return networks
    .filter((network) => network.Name !== name)
    .flatMap((network) => (network.IPAM?.Config ?? []).map((config) => ({ name: network.Name, subnet: config.Subnet })))
    .filter((other) => other.subnet !== undefined && overlaps(subnet, other.subnet))
    .map(
      (other) =>
        `the subnet ${subnet} overlaps ${other.subnet} of the Docker network ${other.name}. Choose another \`network.subnet\`, or leave it out and let the engine choose.`,
    );
}

function overlaps(a: string, b: string): boolean {
  const [addressA, bitsA] = ipaddr.parseCIDR(a);
  const [addressB, bitsB] = ipaddr.parseCIDR(b);
  if (addressA.kind() !== addressB.kind()) return false;
  const bits = Math.min(bitsA, bitsB);
  return addressA.match(addressB, bits);
}

async function portProblems(containers: readonly Docker.ContainerInfo[], needs: EngineNeeds): Promise<string[]> {
  const problems = await Promise.all(needs.ports.map((port) => portProblem(containers, needs, port)));
  return problems.filter((problem) => problem !== undefined);
}

async function portProblem(
  containers: readonly Docker.ContainerInfo[],
  needs: EngineNeeds,
  wanted: NodePort,
): Promise<string | undefined> {
  if (containers.some((container) => holds(container, wanted))) return heldPort(containers, needs, wanted);
  // One that is started again and again has its ports now, and has not in the next moment.
  const ownContainers = containers.filter((container) => hasLabels(container, needs.labels));
  if (ownContainers.some((container) => container.State === "restarting")) return undefined;
  // What else listens on another machine, nobody here can tell.
  if (wanted.on !== undefined || (await canListen(wanted))) return undefined;
  return `${placeOf(wanted)} is taken by another process. ${remedyFor(wanted)}`;
}

/**
 * Why a port that containers hold is not to be had. Pure.
 * @returns undefined: its own container has it, or another node of the stack that gives it away before its turn comes.
 */
export function heldPort(
  containers: readonly Docker.ContainerInfo[],
  { labels, turns }: Pick<EngineNeeds, "labels" | "turns">,
  wanted: NodePort,
): string | undefined {
  const others = containers.filter((container) => holds(container, wanted) && nameOf(container) !== wanted.container);
  const foreign = others.find((container) => !hasLabels(container, labels));
  if (foreign !== undefined)
    return `${placeOf(wanted)} is taken by the container ${nameOf(foreign)}. ${remedyFor(wanted)}`;
  const isThere = containers.some((container) => nameOf(container) === wanted.container);
  const holder = others.map(nameOf).find((name) => !isThere || !isBefore(turns, name, wanted.container));
  if (holder === undefined) return undefined;
  return `${placeOf(wanted)} is still that of the container ${holder} when ${wanted.node} needs it. Run two updates: first with another port for ${wanted.node}, then with this one.`;
}

/**
 * Why a fixed address is not to be had. Pure.
 * @returns undefined: nobody has it, or a node of the stack that gets another one before its turn comes.
 */
export function heldAddress(
  containers: readonly Docker.ContainerInfo[],
  { network, turns, addresses }: Pick<EngineNeeds, "network" | "turns" | "addresses">,
  wanted: NodeAddress,
): string | undefined {
  const holder = containers
    .filter((container) => addressOf(container, network.name) === wanted.address)
    .map(nameOf)
    .find((name) => name !== wanted.container);
  if (holder === undefined) return undefined;
  const isThere = containers.some((container) => nameOf(container) === wanted.container);
  const getsAnother = addresses.some(({ container }) => container === holder);
  if (isThere && getsAnother && isBefore(turns, holder, wanted.container)) return undefined;
  return `the address ${wanted.address} is still that of the container ${holder} when ${wanted.node} needs it. Choose another address for ${wanted.node}, or let ${holder} give this one up in an update before.`;
}

/** The engine gives a stopped container none, but remembers which one it is to have. */
function addressOf({ NetworkSettings: { Networks } }: Docker.ContainerInfo, network: string): string | undefined {
  const endpoint = Networks[network];
  const chosen = endpoint?.IPAMConfig as { readonly IPv4Address?: string } | null | undefined;
  return endpoint?.IPAddress || chosen?.IPv4Address;
}

/** A container that is not there yet waits for no turn: it is made at once. */
function isBefore({ order }: ContainerTurns, name: string, later: string): boolean {
  const names = order.map(({ node }) => node.container);
  return names.includes(name) && names.indexOf(name) < names.indexOf(later);
}

const placeOf = ({ host, port, node }: NodePort): string =>
  `port ${port} of ${host}, which ${node} is to be published on,`;

const remedyFor = ({ node }: NodePort): string => `Choose another port for ${node}, or stop what uses it.`;

const nameOf = ({ Names: names, Id: id }: Docker.ContainerInfo): string => names[0]?.replace(/^\//, "") ?? id;

const holds = ({ Ports: ports }: Docker.ContainerInfo, { host, port }: HostPort): boolean =>
  ports.some(({ IP: address, PublicPort: held }) => held === port && isOneAddress(address, host));

const isOneAddress = (a: string, b: string): boolean => a === b || EVERY_ADDRESS.has(a) || EVERY_ADDRESS.has(b);

const hasLabels = (container: Docker.ContainerInfo, labels: StackLabels): boolean =>
  Object.entries(labels).every(([key, value]) => container.Labels[key] === value);

/** Only "in use" counts: an address that is not this machine's is the engine's affair. */
function canListen({ host, port }: HostPort): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "EADDRINUSE"));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
