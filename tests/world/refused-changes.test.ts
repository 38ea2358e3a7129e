import { afterAll, beforeAll, expect, test } from "vitest";
import { execa } from "execa";
import type { StackOutputs } from "../support/outputs.ts";
import { freePorts } from "../support/ports.ts";
import { slotsOn } from "../support/replication-checks.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";
import { freeSubnetPrefix } from "../support/subnets.ts";

let stack: TestStack;
let nodes: { name: string; port: number }[];

beforeAll(async () => {
  nodes = (await freePorts(2)).map((port, index) => ({ name: `node-${index + 1}`, port }));
  stack = await TestStack.create({ primary: "node-1", nodes });
  await stack.up();
});
afterAll(() => stack.dispose());

/** Two nodes at these addresses of a network of their own. */
const fixed = (subnet: string, first: number, second: number): StackConfig => ({
  primary: "node-1",
  nodes: [
    { name: "node-1", address: `${subnet}.${first}` },
    { name: "node-2", address: `${subnet}.${second}` },
  ],
  network: { subnet: `${subnet}.0/24` },
});

const ask = async (node: string, sql: string): Promise<string> =>
  (await execa("docker", ["exec", "-u", "postgres", stack.container(node), "psql", "-XAtqc", sql])).stdout;

const startTimes = (): Promise<string[]> =>
  Promise.all(nodes.map(({ name }) => ask(name, "SELECT pg_postmaster_start_time()")));

test("another major is refused, in preview and in up, and nothing is touched", async () => {
  const before = await startTimes();
  await stack.configure({ image: "postgres:15", primary: "node-1", nodes });
  const preview = await stack.pulumi(["preview"]);
  expect(preview.exitCode).not.toBe(0);
  expect(preview.output).toContain("a server of PostgreSQL 15 cannot open its files");
  expect(await stack.failingUp()).toContain("move the data with pg_dump");
  expect(await startTimes()).toEqual(before);
});

test("another subnet is refused, in preview and in up, and nothing is touched", async () => {
  const before = await startTimes();
  await stack.configure({ primary: "node-1", nodes, network: { subnet: `${await freeSubnetPrefix()}.0/24` } });
  const preview = await stack.pulumi(["preview"]);
  expect(preview.exitCode).not.toBe(0);
  expect(preview.output).toContain("a network keeps its subnet, and the nodes are attached to this one");
  expect(preview.output).toContain("Leave `network.subnet` out again");
  expect(await stack.failingUp()).toContain("a network keeps its subnet");
  expect(await startTimes()).toEqual(before);
  await stack.configure({ primary: "node-1", nodes });
  await stack.expectNoChanges();
});

test("fixed addresses cannot be exchanged in one update: refused before a container is touched", async () => {
  const subnet = await freeSubnetPrefix();
  const other = await TestStack.create(fixed(subnet, 11, 12));
  try {
    await other.up();
    await other.configure(fixed(subnet, 12, 11));
    const preview = await other.pulumi(["preview"]);
    expect(preview.exitCode).not.toBe(0);
    expect(preview.output).toContain(`the address ${subnet}.11 is still that of the container`);
    expect(await other.failingUp()).toContain("Choose another address for node-2, or let");
    await other.configure(fixed(subnet, 11, 12));
    await other.expectNoChanges();
  } finally {
    await other.dispose();
  }
});

test("a node that is no standby yet cannot be named the primary", async () => {
  const before = await startTimes();
  await stack.configure({ primary: "node-9", nodes: [...nodes, { name: "node-9" }] });
  const preview = await stack.pulumi(["preview"]);
  expect(preview.exitCode).not.toBe(0);
  expect(preview.output).toContain("node-9 has no server yet. Add it as a standby first, with `primary: node-1`");
  expect(await stack.failingUp()).toContain("node-9 has no server yet");
  expect(await startTimes()).toEqual(before);
  expect(await ask("node-1", "SELECT pg_is_in_recovery()")).toBe("f");
});

test("a node promoted by hand is named in preview, never demoted, and can be adopted", async () => {
  await execa("docker", ["stop", stack.container("node-1")]);
  await ask("node-2", "SELECT pg_promote()");
  await ask("node-2", "CREATE TABLE after_promotion AS SELECT 1 AS n");

  await stack.configure({ primary: "node-1", nodes });
  const preview = await stack.pulumi(["preview"]);
  expect(preview.output).toMatch(
    /node-2: it is primary on timeline 2 since [-\d]+ [:\d]+ UTC, and the stack file makes it a standby/,
  );
  expect(preview.output).toContain("Set `primary: node-2` to adopt it");

  const acknowledge = { volumes: [`${stack.container("node-1")}-data`] };
  await stack.configure({ primary: "node-2", nodes: nodes.slice(1), acknowledge });
  await stack.up();
  expect(await ask("node-2", "SELECT n FROM after_promotion")).toBe("1");
  const { primary, lastSwitchover } = await stack.outputs<StackOutputs>();
  expect(primary).toBe("node-2");
  expect(lastSwitchover).toMatchObject({ from: "node-1", to: "node-2", writeGapMs: null, lostBytes: null });
  expect(await slotsOn(stack.container("node-2"))).toEqual([]);
  await stack.expectNoChanges();
});
