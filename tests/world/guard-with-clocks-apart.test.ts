import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { docker, logOf, shellIn } from "../support/containers.ts";
import { derivedImage, removeImages } from "../support/images.ts";
import { ownerLogin } from "../support/outputs.ts";
import type { StackOutputs } from "../support/outputs.ts";
import { freePorts } from "../support/ports.ts";
import { expectStreaming } from "../support/replication-checks.ts";
import { psqlIn, refusal } from "../support/servers.ts";
import type { Login } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";

const NODES = ["node-1", "node-2"];
const AHEAD_IMAGE = "pg-topology-test/postgres:17-a-day-ahead";

let stack: TestStack;
let config: StackConfig;
let logins: Login[];

beforeAll(async () => {
  // The shared memory of libfaketime would belong to root, who starts the guard, and be closed to postgres.
  const instructions = [
    "RUN apt-get update && apt-get install -y --no-install-recommends libfaketime && ln -s /usr/lib/*/faketime/libfaketime.so.1 /usr/lib/libfaketime.so",
    "ENV LD_PRELOAD=/usr/lib/libfaketime.so FAKETIME=+1d FAKETIME_DISABLE_SHM=1",
  ];
  await derivedImage(AHEAD_IMAGE, "postgres:17", ...instructions);
  const [first, second] = await freePorts(NODES.length);
  const nodes = [
    { name: "node-1", port: first, image: AHEAD_IMAGE },
    { name: "node-2", port: second },
  ];
  config = { primary: "node-1", nodes };
  stack = await TestStack.create(config);
  await stack.up();
  const outputs = await stack.outputs<StackOutputs>();
  logins = NODES.map((node) => ownerLogin(outputs, node));
});
afterAll(async () => {
  await stack.dispose();
  await removeImages(AHEAD_IMAGE);
});

const epochIn = async (container: string): Promise<number> => Number(await shellIn(container, "date +%s"));

/** One is stopped, the other promoted, and the first started again. */
async function expectReplaced(old: string, promoted: string, login: Login | undefined): Promise<void> {
  const container = stack.container(old);
  await docker("stop", container);
  const before = (await logOf(container)).length;
  await psqlIn(stack.container(promoted), "SELECT pg_promote()");
  await docker("start", container);
  await expect
    .poll(async () => (await logOf(container)).slice(before), { timeout: 30_000 })
    .toContain(`guard: ${old} does not start as a primary: ${promoted} is on timeline`);
  await sleep(3000);
  expect(await refusal(login as Login)).toMatch(/ECONNRE|terminated/);
  expect((await logOf(container)).slice(before)).not.toContain("database system is ready to accept connections");
  expect(await psqlIn(stack.container(promoted), "SELECT pg_is_in_recovery()")).toBe("f");
}

test("the clocks are a day apart, as the servers see them too", async () => {
  const [ahead, right] = await Promise.all(NODES.map((node) => epochIn(stack.container(node))));
  expect((ahead ?? 0) - (right ?? 0)).toBeGreaterThan(86_000);
  const serverClock = "SELECT extract(epoch FROM clock_timestamp())::bigint";
  const clocks = await Promise.all(NODES.map((node) => psqlIn(stack.container(node), serverClock)));
  expect(Number(clocks[0]) - Number(clocks[1])).toBeGreaterThan(86_000);
  await expectStreaming(stack, "node-1", ["node-2"]);
});

test("an old primary whose clock is ahead does not start beside the promoted one", () =>
  expectReplaced("node-1", "node-2", logins[0]));

test("nor does one whose clock is behind that of the promoted one", async () => {
  await stack.configure({ ...config, primary: "node-2", acknowledge: { rejoin: ["node-1"] } });
  await stack.up();
  await expectStreaming(stack, "node-2", ["node-1"]);
  await expectReplaced("node-2", "node-1", logins[1]);
});
