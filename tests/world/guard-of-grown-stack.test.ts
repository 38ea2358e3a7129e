import { afterAll, beforeAll, expect, test } from "vitest";
import { docker, inspect, logOf } from "../support/containers.ts";
import { freePorts } from "../support/ports.ts";
import { psqlIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";

const NODES = ["node-1", "node-2", "node-3"];

let stack: TestStack;
let config: (count: number) => StackConfig;

beforeAll(async () => {
  const ports = await freePorts(NODES.length);
  config = (count) => ({
    primary: "node-1",
    nodes: NODES.slice(0, count).map((name, index) => ({ name, port: ports[index] })),
  });
  stack = await TestStack.create(config(1));
  await stack.up();
});
afterAll(() => stack.dispose());

const isStandby = (container: string): Promise<string> => psqlIn(container, "SELECT pg_is_in_recovery()").catch(String);

/** The documented bound of 4 s, and what it takes this test to see it. To wait for a silent peer would take longer. */
const BOUND_MILLISECONDS = 7000;

test("a primary that was alone when it started starts again alone, also where it is told to wait for peers", async () => {
  await stack.configure({ ...config(1), guard: { whenPeersUnreachable: "wait" } });
  await stack.up();
  await docker("restart", stack.container("node-1"));
  await expect.poll(() => isStandby(stack.container("node-1")), { timeout: 30_000 }).toBe("f");
  await stack.configure(config(1));
  await stack.up();
});

test("a primary stops for a newer one that joined after it had started", async () => {
  const first = stack.container("node-1");
  const startedAt = (await inspect(first)).State.StartedAt;
  for (const count of [2, 3]) {
    await stack.configure(config(count));
    await stack.up();
  }
  expect((await inspect(first)).State.StartedAt).toBe(startedAt);

  // The last that joined: a guard that knows of the first alone would not hear of it. And that one is silent.
  await docker("pause", stack.container("node-2"));
  await psqlIn(stack.container("node-3"), "SELECT pg_promote()");
  const stopped = "guard: node-1 is stopped: it must not take writes beside a newer primary.";
  await expect.poll(() => logOf(first), { timeout: BOUND_MILLISECONDS }).toContain(stopped);
  await expect
    .poll(() => logOf(first), { timeout: 30_000 })
    .toContain("guard: node-1 does not start as a primary: node-3 is on timeline 2, node-1 on timeline 1.");
  expect(await isStandby(stack.container("node-3"))).toBe("f");
  await docker("unpause", stack.container("node-2"));
});
