import { execa } from "execa";
import type { TestStack } from "./stack.ts";

/** What `docker inspect` says of a container, as far as tests look at it. */
export interface Container {
  readonly Id: string;
  readonly State: { readonly Running: boolean; readonly Pid: number; readonly StartedAt: string };
  readonly NetworkSettings: {
    readonly Ports: Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>>;
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>>;
  };
}

const ATTEMPTS = 5;

export async function docker(...args: string[]): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    const { stdout, stderr, failed } = await execa("docker", args, { reject: attempt === ATTEMPTS });
    if (!failed) return stdout;
    // The kernel of a busy machine may not stop all processes of a container in time: `docker pause` gives up then.
    if (!stderr.includes("unable to freeze")) throw new Error(`docker ${args.join(" ")}: ${stderr}`);
  }
}

export async function inspect(container: string): Promise<Container> {
  const [found] = JSON.parse(await docker("inspect", "--type", "container", container)) as Container[];
  if (found === undefined) throw new Error(`there is no container ${container}`);
  return found;
}

export const containerId = async (container: string): Promise<string> => (await inspect(container)).Id;

/** Its address on the topology's network. */
export async function addressOf(container: string): Promise<string> {
  const { NetworkSettings } = await inspect(container);
  const [address] = Object.values(NetworkSettings.Networks).map((network) => network.IPAddress);
  if (address === undefined || address === "") throw new Error(`${container} has no address`);
  return address;
}

/** Everything that the container wrote, both streams in their order. */
export async function logOf(container: string): Promise<string> {
  const { all } = await execa("docker", ["logs", container], { all: true });
  return all;
}

/** Runs a shell command in a running container, as root. */
export async function shellIn(container: string, command: string): Promise<string> {
  return docker("exec", container, "sh", "-c", command);
}

/** Names of the Docker objects that carry a stack's labels. */
export async function volumesOf(stack: TestStack): Promise<string[]> {
  return lines(await docker("volume", "ls", "--format", "{{.Name}}", ...labelFilters(stack)));
}

export async function containersOf(stack: TestStack): Promise<string[]> {
  return lines(await docker("ps", "-a", "--format", "{{.Names}}", ...labelFilters(stack)));
}

const labelFilters = ({ labels }: TestStack): string[] =>
  Object.entries(labels).flatMap(([key, value]) => ["--filter", `label=${key}=${value}`]);

const lines = (text: string): string[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .toSorted();
