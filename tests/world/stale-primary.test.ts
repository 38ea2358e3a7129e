import { afterAll, beforeAll, expect, test } from "vitest";
import { docker, inspect } from "../support/containers.ts";
import { freePorts } from "../support/ports.ts";
import { expectStreaming } from "../support/replication-checks.ts";
import { psqlIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";

let stack: TestStack;
let config: StackConfig;
let stale: string;
let promoted: string;

beforeAll(async () => {
  const nodes = (await freePorts(2)).map((port, index) => ({ name: `node-${index + 1}`, port }));
  config = { primary: "node-1", nodes };
  stack = await TestStack.create(config);
  await stack.up();
  [stale, promoted] = [stack.container("node-1"), stack.container("node-2")];
});
afterAll(() => stack.dispose());

test("the old primary is not started by an update when both are down, and the other was promoted since", async () => {
  await docker("stop", stale);
  await psqlIn(promoted, "SELECT pg_promote()");
  await psqlIn(promoted, "CREATE TABLE written_since AS SELECT 1 AS n");
  await docker("kill", promoted);
  const reason =
    "node-1 was the primary up to timeline 1, and node-2 is on timeline 2: there has been another primary since";
  const preview = await stack.pulumi(["preview"]);
  expect(preview.exitCode).not.toBe(0);
  expect(preview.output).toContain(reason);
  expect(await stack.failingUp()).toContain(reason);
  expect((await inspect(stale)).State.Running).toBe(false);
});

test("the one that was promoted is started where the stack file names it, with what it has, and the other follows", async () => {
  await stack.configure({ ...config, primary: "node-2" });
  await stack.up();
  await expectStreaming(stack, "node-2", ["node-1"]);
  expect(await psqlIn(stale, "SELECT n FROM written_since")).toBe("1");
  await stack.expectNoChanges();
});
