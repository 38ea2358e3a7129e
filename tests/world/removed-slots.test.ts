import { afterAll, beforeAll, expect, test } from "vitest";
import { freePorts } from "../support/ports.ts";
import { expectStreaming, slotsOn } from "../support/replication-checks.ts";
import { psqlIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";

const NODES = ["node-1", "node-2", "node-3"];

let stack: TestStack;
let config: (primary: string, ...names: string[]) => StackConfig;

beforeAll(async () => {
  const ports = await freePorts(NODES.length);
  const all = NODES.map((name, index) => ({ name, port: ports[index] }));
  config = (primary, ...names) => ({ primary, nodes: all.filter(({ name }) => names.includes(name)) });
  stack = await TestStack.create(config("node-1", ...NODES));
  await stack.up();
});
afterAll(() => stack.dispose());

/** Of a node that leaves while roles change: nobody can tell beforehand that the next primary has every row of it. */
const givenUp = (node: string): StackConfig => ({ acknowledge: { volumes: [`${stack.container(node)}-data`] } });

const makeSlot = (node: string, slot: string): Promise<string> =>
  psqlIn(stack.container(node), `SELECT pg_create_physical_replication_slot('${slot}', true)`);

test("a standby leaves in the update in which another becomes the primary, and its slots leave with it", async () => {
  await stack.configure({ ...config("node-2", "node-1", "node-2"), ...givenUp("node-3") });
  await stack.up();
  await expectStreaming(stack, "node-2", ["node-1"]);
  expect(await slotsOn(stack.container("node-1"))).toEqual(["node_2"]);
  expect(await slotsOn(stack.container("node-2"))).toEqual(["node_1"]);
  await stack.expectNoChanges();
});

// A node that was away when a slot was dropped everywhere has it yet when it comes back.
test("a slot of a node that has left is dropped wherever it turns up, and one of somebody else stays", async () => {
  await makeSlot("node-1", "node_3");
  await makeSlot("node-2", "node_3");
  await makeSlot("node-2", "of_a_tool");
  const preview = await stack.succeed(["preview"]);
  expect(preview).toContain("node-1: slot node_3 is of nobody that is left: it is dropped");
  expect(preview).toContain("node-2: slot node_3 is of nobody that is left: it is dropped");
  await stack.up();
  expect(await slotsOn(stack.container("node-1"))).toEqual(["node_2"]);
  expect(await slotsOn(stack.container("node-2"))).toEqual(["node_1", "of_a_tool"]);
  await stack.expectNoChanges();
});

test("the primary leaves in the update in which another takes its place, and its slot leaves with it", async () => {
  await stack.configure({ ...config("node-1", "node-1"), ...givenUp("node-2") });
  await stack.up();
  expect(await psqlIn(stack.container("node-1"), "SELECT pg_is_in_recovery()")).toBe("f");
  expect(await slotsOn(stack.container("node-1"))).toEqual([]);
  await stack.expectNoChanges();
});

test("a node that joins again has slots again", async () => {
  await stack.configure(config("node-1", "node-1", "node-3"));
  await stack.up();
  await expectStreaming(stack, "node-1", ["node-3"]);
  expect(await slotsOn(stack.container("node-1"))).toEqual(["node_3"]);
  expect(await slotsOn(stack.container("node-3"))).toEqual(["node_1"]);
  await stack.expectNoChanges();
});
