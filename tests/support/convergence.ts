import { expect } from "vitest";
import { containersOf, docker, volumesOf } from "./containers.ts";
import { describeProcess, processesOf } from "./processes.ts";
import { expectStreaming, slotsOn } from "./replication-checks.ts";
import type { TestStack } from "./stack.ts";

/** The primary first; all standbys stream from it. */
export type NodeNames = readonly [primary: string, ...standbys: string[]];

/** The whole topology is there, and of the stack there is nothing else: no container, network, volume or slot too many. */
export async function expectConverged(stack: TestStack, nodes: NodeNames): Promise<void> {
  const [primary, ...standbys] = nodes;
  await stack.expectNoChanges();
  await expectStreaming(stack, primary, standbys);
  await expectObjects(stack, nodes);
  for (const node of nodes) {
    const others = nodes.filter((other) => other !== node).map((other) => other.replaceAll("-", "_"));
    expect(await slotsOn(stack.container(node))).toEqual(others.toSorted());
  }
  await expectNoProcesses(stack);
}

/** Exactly the Docker objects of a topology of these nodes, none for no nodes. */
export async function expectObjects(stack: TestStack, nodes: readonly string[]): Promise<void> {
  const containers = nodes.map((node) => stack.container(node));
  expect(await containersOf(stack)).toEqual(containers.toSorted());
  expect(await networksOf(stack)).toEqual(nodes.length === 0 ? [] : [stack.container("network")]);
  const volumes = containers.flatMap((container) => [`${container}-configuration`, `${container}-data`]);
  expect(await volumesOf(stack)).toEqual(volumes.toSorted());
}

async function networksOf(stack: TestStack): Promise<string[]> {
  const filters = Object.entries(stack.labels).flatMap(([key, value]) => ["--filter", `label=${key}=${value}`]);
  const names = await docker("network", "ls", "--format", "{{.Name}}", ...filters);
  return names.split("\n").filter((name) => name !== "");
}

/** A plugin that its engine has left alone ends itself within seconds. */
const FAREWELL_MILLISECONDS = 10_000;

export async function expectNoProcesses(stack: TestStack): Promise<void> {
  const processes = async (): Promise<string[]> => (await processesOf(stack)).map(describeProcess);
  await expect.poll(processes, { timeout: FAREWELL_MILLISECONDS, interval: 100 }).toEqual([]);
}
