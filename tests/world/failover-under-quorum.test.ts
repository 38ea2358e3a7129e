import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { docker, shellIn } from "../support/containers.ts";
import { freePorts } from "../support/ports.ts";
import { psqlIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";

const IMAGE = "postgres:17";
const CONFIRMED_WITHIN_MILLISECONDS = 5000;

let stack: TestStack;
let config: StackConfig;

beforeAll(async () => {
  const nodes = (await freePorts(3)).map((port, index) => ({ name: `node-${index + 1}`, port }));
  config = { image: IMAGE, primary: "node-1", nodes, replication: { synchronous: { mode: "quorum", count: 1 } } };
  stack = await TestStack.create(config);
  await stack.up();
});
afterAll(() => stack.dispose());

async function loseLog(node: string): Promise<void> {
  const data = `${stack.container(node)}-data:/data`;
  await docker("run", "--rm", "--volume", data, IMAGE, "sh", "-c", "rm -r /data/pgdata/pg_wal/0*");
}

/** Base backups wait for it, and no commit does. */
async function checkpointer(node: string, signal: "STOP" | "CONT"): Promise<void> {
  const query = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'";
  await shellIn(stack.container(node), `kill -${signal} ${await psqlIn(stack.container(node), query)}`);
}

const isCloned = async (node: string): Promise<boolean> =>
  (await docker("ps", "--format", "{{.Names}}")).split("\n").includes(`${stack.container(node)}.rejoin`);

/** No timeout of the server's ends the wait for a standby without committing. */
const isConfirmed = (node: string): Promise<boolean> =>
  Promise.race([
    psqlIn(stack.container(node), "CREATE TABLE confirmed ()").then(() => true),
    sleep(CONFIRMED_WITHIN_MILLISECONDS, false),
  ]);

test("the standby that is left confirms commits while the old primary is still being cloned again", async () => {
  await checkpointer("node-2", "STOP");
  await docker("kill", stack.container("node-1"));
  await loseLog("node-1");

  await stack.configure({ ...config, primary: "node-2" });
  const failover = stack.up();
  await expect.poll(() => isCloned("node-1"), { timeout: 60_000, interval: 50 }).toBe(true);
  expect(await isConfirmed("node-2")).toBe(true);
  expect(await isCloned("node-1")).toBe(true);

  await checkpointer("node-2", "CONT");
  expect(await failover).toContain("node-1 follows the primary by a new base backup");
  await stack.expectNoChanges();
});
