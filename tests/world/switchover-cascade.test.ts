import { afterAll, beforeAll, expect, test } from "vitest";
import { containerId } from "../support/containers.ts";
import { Ledger } from "../support/ledger.ts";
import type { StackOutputs } from "../support/outputs.ts";
import { freePorts } from "../support/ports.ts";
import { expectStreaming } from "../support/replication-checks.ts";
import { psqlIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";

const NODES = ["node-1", "node-2", "node-3", "node-4", "node-5"];

let stack: TestStack;
let ports: number[];
let ledger: Ledger;

/**
 * node-3 cascades from node-2, node-4 from node-3; node-5 applies changes late. The primary does neither: a stack file that
 * says so is refused. Everything runs on an older server.
 */
function withPrimary(primary: string): StackConfig {
  const standbyKeys = [{}, {}, { upstream: "node-2" }, { upstream: "node-3" }, { applyDelay: "3min" }];
  return {
    image: "postgres:15",
    primary,
    nodes: NODES.map((name, index) => ({ name, port: ports[index], ...(name === primary ? {} : standbyKeys[index]) })),
    replication: { synchronous: { mode: "quorum", count: 1 } },
  };
}

beforeAll(async () => {
  ports = await freePorts(NODES.length);
  stack = await TestStack.create(withPrimary("node-1"));
  await stack.up();
  ledger = await Ledger.start((await stack.outputs<StackOutputs>()).readWriteUri);
});
afterAll(async () => {
  await ledger.stop();
  await stack.dispose();
});

test("a cascading standby in the middle becomes the primary, and keeps those below it", async () => {
  const ids = await Promise.all(NODES.map((node) => containerId(stack.container(node))));
  await stack.configure(withPrimary("node-3"));
  await stack.up();
  await expectStreaming(stack, "node-3", ["node-1", "node-2", "node-4"]);
  // Longer than an update waits for anybody: it is at what the old primary wrote, and nobody has to do anything about it.
  const { replication } = await stack.outputs<StackOutputs>();
  expect(replication.find(({ node }) => node === "node-5")).toMatchObject({ state: "late" });
  expect(await Promise.all(NODES.map((node) => containerId(stack.container(node))))).toEqual(ids);
  expect((await stack.outputs<StackOutputs>()).lastSwitchover).toMatchObject({ from: "node-1", to: "node-3" });
  await ledger.untilWritten();
  expect(await ledger.lost()).toEqual([]);
  await stack.expectNoChanges();
});

test("synchronous standbys follow the roles", async () => {
  const names =
    "SELECT string_agg(application_name, ',' ORDER BY application_name) FROM pg_stat_replication WHERE sync_state = 'quorum'";
  expect(await psqlIn(stack.container("node-3"), names)).toBe("node-1,node-2");
});

test("back, and the cascade is as it was", async () => {
  await stack.configure(withPrimary("node-1"));
  await stack.up();
  await expectStreaming(stack, "node-1", ["node-2"]);
  await expectStreaming(stack, "node-2", ["node-3"]);
  await expectStreaming(stack, "node-3", ["node-4"]);
  await ledger.untilWritten();
  expect(await ledger.lost()).toEqual([]);
});

test("the late one streams from the primary once it has applied what it had", async () => {
  const streams = "SELECT state FROM pg_stat_replication WHERE application_name = 'node-5'";
  const onPrimary = () => psqlIn(stack.container("node-1"), streams);
  await expect.poll(onPrimary, { timeout: 280_000, interval: 2000 }).toBe("streaming");
});

test("one that applies changes late is refused", async () => {
  await stack.configure(withPrimary("node-5"));
  expect(await stack.failingUp()).toContain("node-5 cannot become the primary: it applies changes late");
});
