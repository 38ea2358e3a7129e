import { afterAll, beforeAll, expect, test } from "vitest";
import { containersOf } from "../support/containers.ts";
import { expectConverged, expectObjects } from "../support/convergence.ts";
import { freePorts } from "../support/ports.ts";
import { recover } from "../support/recover.ts";
import { psqlIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";

const NODES = ["node-1", "node-2"] as const;

let stacks: readonly [TestStack, TestStack];

beforeAll(async () => {
  stacks = [await newStack(), await newStack()];
});
afterAll(() => Promise.all(stacks.map((stack) => stack.dispose())));

test("two stacks come up at the same time on one machine", async () => {
  await Promise.all(stacks.map((stack) => stack.up()));
  for (const stack of stacks) await expectConverged(stack, NODES);
});

test("each has a cluster of its own", async () => {
  const [one, other] = stacks;
  await psqlIn(one.container("node-1"), "CREATE TABLE mine AS SELECT 1 AS number");
  expect(await psqlIn(other.container("node-1"), "SELECT to_regclass('mine') IS NULL")).toBe("t");
  const identifiers = stacks.map((stack) => stack.outputs<{ systemIdentifier: string }>());
  const [first, second] = await Promise.all(identifiers);
  expect(first?.systemIdentifier).not.toBe(second?.systemIdentifier);
});

test("what is done to one leaves the other alone", async () => {
  const [one, other] = stacks;
  const containers = await containersOf(other);
  expect(await recover(one)).toEqual({ exitCode: 0, output: `nothing to recover in stack ${one.name}` });
  await Promise.all([one.succeed(["destroy", "--yes", "--skip-preview"]), other.up()]);
  await expectObjects(one, []);
  expect(await containersOf(other)).toEqual(containers);
  await expectConverged(other, NODES);
});

async function newStack(): Promise<TestStack> {
  const ports = await freePorts(NODES.length);
  return TestStack.create({ primary: "node-1", nodes: NODES.map((name, index) => ({ name, port: ports[index] })) });
}
