import { copyFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { update } from "../support/changes.ts";
import { startCommand } from "../support/commands.ts";
import { logOf } from "../support/containers.ts";
import { TestHosts } from "../support/hosts.ts";
import { ownerLogin } from "../support/outputs.ts";
import type { StackOutputs } from "../support/outputs.ts";
import { freePorts } from "../support/ports.ts";
import { PROJECT_DIRECTORY } from "../support/project.ts";
import { rowsOf } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";
import { statusOf } from "../support/status.ts";

// In short what tests/world/hosts.test.ts does with three hosts, backups and metrics.
const NODES = { "node-1": "db1", "node-2": "db2" } as const;
type NodeName = keyof typeof NODES;

let hosts: TestHosts;
let stack: TestStack;
let port: number;

beforeAll(async () => {
  [port = 0] = await freePorts(1);
  hosts = await TestHosts.create(Object.values(NODES), "db2");
  stack = await TestStack.create(config());
});
afterAll(async () => {
  await stack.dispose();
  await hosts.dispose();
});

const config = (rest: StackConfig = {}): StackConfig => ({
  primary: "node-1",
  ...hosts.placing(NODES, port),
  parameters: { log_replication_commands: "on" },
  ...rest,
});

const psql = (node: NodeName, sql: string): Promise<string> => hosts.psql(NODES[node], stack.container(node), sql);

test("a node behind ssh streams over TLS, and clients find both at the addresses of their hosts", async () => {
  await stack.up();
  const outputs = await stack.outputs<StackOutputs>();
  expect(outputs.replication).toMatchObject([{ node: "node-2", state: "streaming" }]);
  expect(outputs.nodes.map(({ host }) => host)).toEqual(Object.values(hosts.entries).map(({ address }) => address));
  await rowsOf(ownerLogin(outputs, "node-1"), "CREATE TABLE t AS SELECT 1 AS n");
  const rows = () => rowsOf(ownerLogin(outputs, "node-2"), "SELECT n FROM t").catch(() => []);
  await expect.poll(rows).toEqual([{ n: 1 }]);
  expect((await update(stack)).changes).toEqual([]);
  // The first host is this machine.
  expect(await logOf(stack.container("node-1"))).toMatch(/BASE_BACKUP .*COMPRESSION 'lz4'/);
});

test("the primary changes to another host without a lost row", async () => {
  await stack.configure(config({ primary: "node-2" }));
  await stack.up();
  const outputs = await stack.outputs<StackOutputs>();
  expect(outputs.lastSwitchover).toMatchObject({ from: "node-1", to: "node-2", lostBytes: 0 });
  expect(await rowsOf(ownerLogin(outputs, "node-2"), "SELECT n FROM t")).toEqual([{ n: 1 }]);
});

test("npm start goes without Docker on the machine that it runs on, and without a note of an update before", async () => {
  const stackFile = join(PROJECT_DIRECTORY, `Pulumi.${stack.name}.yaml`);
  await copyFile(stack.configFile, stackFile);
  onTestFinished(() => rm(stackFile));
  await rm(join(PROJECT_DIRECTORY, ".pg-topology", stack.name), { recursive: true });
  const { exitCode, all } = await startCommand(stack, "start", [], { DOCKER_HOST: "unix:///nonexistent/docker.sock" });
  expect(exitCode, all).toBe(0);
});

describe("the host of the primary cannot be reached", () => {
  beforeAll(() => hosts.cut("db2"));

  test("a status names the node, and another primary is refused until it is said that the old one is not fenced", async () => {
    const { condition, nodes } = await statusOf(stack);
    expect(condition).toBe("down");
    expect(nodes.map(({ name, state }) => [name, state])).toContainEqual(["node-2", "unreachable"]);
    await stack.configure(config());
    const output = await stack.failingUp();
    expect(output).toContain("whether its host is dead or only cut off is not known");
    expect(output).toContain("`acknowledge: { failover: { lostBytes: unknown, unfenced: [node-2] } }`");
    expect(await psql("node-1", "SELECT pg_is_in_recovery()")).toBe("t");
  });

  test("acknowledged, another primary takes writes; the old one stops when it learns of it", async () => {
    await stack.configure(config({ acknowledge: { failover: { lostBytes: "unknown", unfenced: ["node-2"] } } }));
    await stack.up();
    expect(await psql("node-1", "CREATE TABLE near AS SELECT 1 AS n; SELECT pg_is_in_recovery()")).toBe("f");
    await hosts.heal("db2");
    await expect.poll(() => psql("node-2", "SELECT 1").catch(() => "stopped")).toBe("stopped");
  });
});
