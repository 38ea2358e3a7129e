import { afterAll, beforeAll, expect, test } from "vitest";
import { docker } from "../support/containers.ts";
import { freePorts } from "../support/ports.ts";
import { expectStreaming } from "../support/replication-checks.ts";
import { psqlIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";

let stack: TestStack;
let nodes: { name: string; port: number }[];

const withPrimary = (primary: string, failover?: object): StackConfig => ({
  primary,
  nodes,
  ...(failover === undefined ? {} : { acknowledge: { failover } }),
});
const isStandby = (node: string): Promise<string> => psqlIn(stack.container(node), "SELECT pg_is_in_recovery()");

beforeAll(async () => {
  nodes = (await freePorts(2)).map((port, index) => ({ name: `node-${index + 1}`, port }));
  stack = await TestStack.create(withPrimary("node-1"));
  await stack.up();
  // What only node-1 has.
  await docker("stop", stack.container("node-2"));
  await psqlIn(stack.container("node-1"), "CREATE TABLE only_here AS SELECT generate_series(1, 100) AS n", "app");
  await docker("rm", "--force", stack.container("node-1"));
  await docker("start", stack.container("node-2"));
});
afterAll(() => stack.dispose());

test("a primary whose container is gone was one all the same: its volume says what would be lost", async () => {
  await expect.poll(() => isStandby("node-2").catch(String)).toBe("t");
  await stack.configure(withPrimary("node-2"));
  const preview = await stack.pulumi(["preview"]);
  expect(preview.exitCode).not.toBe(0);
  expect(preview.output).toMatch(/The log of node-1 ends at [0-9A-F/]+, .*: [1-9]\d+ bytes would be lost/);
  expect(preview.output).toContain("node-1 has no container, and its data can be fenced");
  expect(preview.output).toContain("Run `pulumi up --refresh` with it as the primary");
  expect(await stack.failingUp()).toContain("acknowledge: { failover: { lostBytes: ");
  expect(await isStandby("node-2")).toBe("t");
});

test("acknowledged, its data is fenced before its place is taken", async () => {
  await stack.configure(withPrimary("node-2", { lostBytes: 100_000_000 }));
  const output = await stack.failingUp();
  expect(output).toContain("node-1 is fenced, and node-2 takes its place");
  expect(output).toContain("Run `pulumi up --refresh`");
  expect(await isStandby("node-2")).toBe("f");
  const volume = `${stack.container("node-1")}-data:/data`;
  const fence = await docker("run", "--rm", "--volume", volume, "--entrypoint", "cat", "postgres:17", "/data/fence");
  expect(fence).toContain("node-2 was made primary in place of node-1");
});

test("with a container again, it rejoins", async () => {
  await stack.configure(withPrimary("node-2"));
  await stack.up("--refresh");
  await expectStreaming(stack, "node-2", ["node-1"]);
  const gone = "SELECT count(*) FROM pg_class WHERE relname = 'only_here'";
  expect(await psqlIn(stack.container("node-1"), gone, "app")).toBe("0");
  await stack.expectNoChanges();
});

test("where its data is gone as well, a preview says so and makes nothing", async () => {
  const volume = `${stack.container("node-2")}-data`;
  await docker("rm", "--force", stack.container("node-2"));
  await docker("volume", "rm", volume);
  await stack.configure(withPrimary("node-1"));
  const { exitCode, output } = await stack.pulumi(["preview"]);
  expect(exitCode).not.toBe(0);
  expect(output).toContain("how much would be lost is not known");
  expect(await docker("volume", "ls", "--quiet", "--filter", `name=${volume}`)).toBe("");
});
