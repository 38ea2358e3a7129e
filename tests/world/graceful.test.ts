import { access } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { update } from "../support/changes.ts";
import { containerId, logOf } from "../support/containers.ts";
import { expectConverged, expectNoProcesses, expectObjects } from "../support/convergence.ts";
import { freePorts } from "../support/ports.ts";
import { PROJECT_DIRECTORY } from "../support/project.ts";
import { ServerLogs } from "../support/server-logs.ts";
import { psqlIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";

const NODES = ["node-1", "node-2"] as const;

let stack: TestStack;
let ports: number[];

beforeAll(async () => {
  ports = await freePorts(2 * NODES.length);
  stack = await TestStack.create(config(ports));
  await stack.up();
  await psqlIn(stack.container("node-1"), "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS number");
});
afterAll(() => stack.dispose());

test("every server is stopped cleanly when its container is replaced", async () => {
  const before = await ids();
  const logs = ServerLogs.follow(before);
  await stack.configure(config(ports.slice(NODES.length)));
  const { changes } = await update(stack);
  expect(changes.filter(({ type }) => type.startsWith("docker:")).map(({ op, name }) => `${op} ${name}`)).toEqual(
    expect.arrayContaining(["create-replacement node-1-container", "create-replacement node-2-container"]),
  );
  expect(await ids()).not.toEqual(before);
  await expectCleanEnds(logs);

  for (const node of NODES) {
    const log = await logOf(stack.container(node));
    expect(log).toMatch(/database system was shut down( in recovery)? at/);
    expect(log).not.toContain("not properly shut down");
    expect(await psqlIn(stack.container(node), "SELECT count(*) FROM kept")).toBe("1000");
  }
  await expectConverged(stack, NODES);
});

test("every server is stopped cleanly when the stack is destroyed, and nothing is left of it", async () => {
  const logs = ServerLogs.follow(await ids());
  await stack.succeed(["destroy", "--yes", "--skip-preview"]);
  await expectCleanEnds(logs);
  await expectObjects(stack, []);
  await expectNoProcesses(stack);
  await expect(access(join(PROJECT_DIRECTORY, ".pg-topology", stack.name))).rejects.toThrow("ENOENT");
});

test("and it can be brought up again, as a new cluster", async () => {
  await stack.up();
  await expectConverged(stack, NODES);
  expect(await psqlIn(stack.container("node-1"), "SELECT to_regclass('kept') IS NULL")).toBe("t");
});

function config(published: readonly (number | undefined)[]): StackConfig {
  return { primary: "node-1", nodes: NODES.map((name, index) => ({ name, port: published[index] })) };
}

const ids = (): Promise<string[]> => Promise.all(NODES.map((node) => containerId(stack.container(node))));

async function expectCleanEnds(logs: ServerLogs): Promise<void> {
  for (const log of (await logs.untilEnd()).values()) {
    expect(log).toContain("database system is shut down");
    expect(log).not.toContain("not properly shut down");
  }
}
