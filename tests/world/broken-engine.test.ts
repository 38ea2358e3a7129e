import { afterAll, beforeAll, expect, test } from "vitest";
import { containersOf } from "../support/containers.ts";
import { expectConverged } from "../support/convergence.ts";
import { EngineProxy } from "../support/engine-proxy.ts";
import { STACK_TRACE } from "../support/failures.ts";
import { freePorts } from "../support/ports.ts";
import { TestStack } from "../support/stack.ts";

const NODES = ["node-1", "node-2"] as const;
const PATIENCE_MILLISECONDS = 30_000;

let stack: TestStack;
let engine: EngineProxy;

beforeAll(async () => {
  const ports = await freePorts(NODES.length);
  stack = await TestStack.create({
    primary: "node-1",
    nodes: NODES.map((name, index) => ({ name, port: ports[index] })),
  });
  engine = await EngineProxy.start();
});
afterAll(async () => {
  await engine.dispose();
  await stack.dispose();
});

// One update after the other: each goes on from where the engine left the one before.
test.each([
  { when: "while the cluster is founded", job: () => `${stack.container("node-1")}.initdb` },
  { when: "while the standby is cloned", job: () => `${stack.container("node-2")}.base-backup` },
])("an engine that is gone $when", async ({ job }) => {
  const up = stack.start(["up", "--yes", "--skip-preview"], {
    env: { ...stack.environment, DOCKER_HOST: engine.dockerHost },
  });
  const reached = async (): Promise<boolean> => (await containersOf(stack)).includes(job());
  await expect.poll(reached, { timeout: 60_000, interval: 20 }).toBe(true);
  await engine.vanish();
  const goneAt = performance.now();
  const { exitCode, all } = await up;
  expect(exitCode, all).not.toBe(0);
  expect(performance.now() - goneAt).toBeLessThan(PATIENCE_MILLISECONDS);
  expect(all).toContain(`the Docker engine at ${engine.dockerHost} does not answer any more`);
  expect(all).toContain("Start it, and run the update again");
  expect(all).not.toMatch(STACK_TRACE);
  await engine.appear();
});

test("once it is back, the next update converges", async () => {
  await stack.up();
  await expectConverged(stack, NODES);
});

test("without an engine, preview and up say so", async () => {
  await engine.vanish();
  const env = { ...stack.environment, DOCKER_HOST: engine.dockerHost };
  for (const command of [["preview"], ["up", "--yes", "--skip-preview"]]) {
    const { exitCode, output } = await stack.pulumi(command, { env });
    expect(exitCode).not.toBe(0);
    expect(output).toContain(`expected a Docker engine at ${engine.dockerHost}, but none answers. Start Docker`);
    expect(output).not.toMatch(STACK_TRACE);
  }
});
