import { afterAll, beforeAll, expect, test } from "vitest";
import { docker } from "../support/containers.ts";
import { freePorts } from "../support/ports.ts";
import { expectStreaming } from "../support/replication-checks.ts";
import { psqlIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";

let stack: TestStack;

beforeAll(async () => {
  const nodes = (await freePorts(2)).map((port, index) => ({ name: `node-${index + 1}`, port }));
  stack = await TestStack.create({ primary: "node-1", nodes });
  await stack.up();
});
afterAll(() => stack.dispose());

/** As a failover leaves it that is killed before it promotes anybody. */
async function killAndFence(container: string): Promise<void> {
  await docker("kill", container);
  const fence = "/var/lib/postgresql/data/fence";
  const write = `echo 'node-2 was made primary in place of node-1.' > ${fence} && chown postgres: ${fence}`;
  await docker("run", "--rm", "--volumes-from", container, "--entrypoint", "sh", "postgres:17", "-c", write);
}

test("a failover that was killed before the promotion is taken back by naming the old primary", async () => {
  await psqlIn(stack.container("node-1"), "CREATE TABLE kept ()", "app");
  await killAndFence(stack.container("node-1"));
  expect(await stack.up()).toContain("node-1 is the primary again: nobody was promoted in its place");
  expect(await psqlIn(stack.container("node-1"), "SELECT pg_is_in_recovery()")).toBe("f");
  expect(await psqlIn(stack.container("node-1"), "SELECT count(*) FROM kept", "app")).toBe("0");
  await expectStreaming(stack, "node-1", ["node-2"]);
  await stack.expectNoChanges();
});

test("not once another node was promoted, also where that one is stopped", async () => {
  await killAndFence(stack.container("node-1"));
  await psqlIn(stack.container("node-2"), "SELECT pg_promote()");
  await docker("stop", stack.container("node-2"));
  const output = await stack.failingUp();
  expect(output).toContain("whether one did cannot be told while node-2 cannot be asked");
  expect(output).toContain("Name the node that was made primary in its place");
});
