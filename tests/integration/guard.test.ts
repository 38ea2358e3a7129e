import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { containerId, docker, inspect, logOf } from "../support/containers.ts";
import { ownerLogin } from "../support/outputs.ts";
import type { StackOutputs } from "../support/outputs.ts";
import { freePorts } from "../support/ports.ts";
import { expectStreaming } from "../support/replication-checks.ts";
import { psqlIn, refusal, rowsOf } from "../support/servers.ts";
import type { Login } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";
import { inWorld } from "../support/world.ts";

const NODES = ["node-1", "node-2", "node-3"];

let stack: TestStack;
let config: StackConfig;
let containers: string[];
let logins: Login[];

beforeAll(async () => {
  const ports = await freePorts(NODES.length);
  config = { primary: "node-1", nodes: NODES.map((name, index) => ({ name, port: ports[index] })) };
  stack = await TestStack.create(config);
  await stack.up();
  containers = NODES.map((node) => stack.container(node));
  const outputs = await stack.outputs<StackOutputs>();
  logins = NODES.map((node) => ownerLogin(outputs, node));
});
afterAll(() => stack.dispose());

const dataVolume = (): string => `${stack.container("node-1")}-data`;
/** The data of node-1 as it was when it was the primary. */
const copyOfData = (): string => `${dataVolume()}-copy`;

async function copyVolume(from: string, to: string): Promise<void> {
  const labels = Object.entries(stack.labels).flatMap(([key, value]) => ["--label", `${key}=${value}`]);
  await docker("volume", "create", ...labels, to);
  const mounts = ["--volume", `${from}:/from`, "--volume", `${to}:/to`];
  const copy = "find /to -mindepth 1 -delete; cp -a /from/. /to/";
  await docker("run", "--rm", ...mounts, "--entrypoint", "sh", "postgres:17", "-c", copy);
}

const isStandby = (container: string): Promise<string> => psqlIn(container, "SELECT pg_is_in_recovery()").catch(String);

// As after a reboot of the host: nobody starts first on purpose.
test.each([
  { what: "stopped and started", end: "stop" },
  { what: "killed and started", end: "kill" },
])("a set that was $what as a whole is the same set again", async ({ end }) => {
  await docker(end, ...containers);
  await docker("start", ...containers.toReversed());
  await expect.poll(() => isStandby(stack.container("node-1")), { timeout: 60_000 }).toBe("f");
  await expectStreaming(stack, "node-1", ["node-2", "node-3"]);
  await stack.expectNoChanges();
});

test("an old primary that is started after a standby was promoted does not become one", async () => {
  const [oldPrimary = "", promoted = ""] = containers;
  await docker("stop", oldPrimary);
  await copyVolume(dataVolume(), copyOfData());
  await psqlIn(promoted, "SELECT pg_promote()");
  await rowsOf(logins[1] as Login, "CREATE TABLE written_after_promotion ()");
  await docker("start", oldPrimary);

  const reason = "guard: node-1 does not start as a primary: node-2 is on timeline 2, node-1 on timeline 1.";
  await expect.poll(() => logOf(oldPrimary), { timeout: 30_000 }).toContain(reason);
  await sleep(3000);
  expect(await refusal(logins[0] as Login)).toMatch(/ECONNRE|terminated/);
  expect((await inspect(oldPrimary)).State.Running).toBe(true);
});

test("nor does it where the promoted one takes long to answer", async () => {
  const [oldPrimary = "", promoted = ""] = containers;
  await docker("stop", oldPrimary);
  await docker("pause", promoted);
  await docker("start", oldPrimary);
  await sleep(2000);
  await docker("unpause", promoted);
  await sleep(3000);
  expect(await refusal(logins[0] as Login)).toMatch(/ECONNRE|terminated/);
  expect(await logOf(oldPrimary)).not.toContain("must not take writes beside a newer primary");
});

test("a standby follows the promoted one by itself", async () => {
  await expectStreaming(stack, "node-2", ["node-3"]);
  const follows = "SELECT count(*) FROM pg_class WHERE relname = 'written_after_promotion'";
  await expect.poll(() => psqlIn(stack.container("node-3"), follows, "app"), { timeout: 30_000 }).toBe("1");
});

test("the promoted one starts as a primary again", async () => {
  await docker("kill", stack.container("node-2"));
  await docker("start", stack.container("node-2"));
  await expect.poll(() => isStandby(stack.container("node-2")), { timeout: 60_000 }).toBe("f");
  await expectStreaming(stack, "node-2", ["node-3"]);
});

inWorld(() => {
  test("an update changes no role in passing: it says what is, and what to do", async () => {
    const ids = await Promise.all(containers.map(containerId));
    const output = await stack.failingUp();
    expect(output).toContain("node-2 is a primary on timeline 2");
    expect(output).toContain("Set `primary: node-2` in the stack file");
    expect(output).toContain("Nothing was changed.");
    expect(await Promise.all(containers.map(containerId))).toEqual(ids);
    expect(await isStandby(stack.container("node-2"))).toBe("f");
  });
});

test("two that start at the same moment, of which none knows the other: the older one stops at once", async () => {
  const [older = "", newer = "", follower = ""] = containers;
  await docker("stop", ...containers);
  await docker("start", older, newer);
  const reason = "guard: node-1 is stopped: it must not take writes beside a newer primary";
  await expect
    .poll(() => logOf(older), { timeout: 30_000 })
    .toMatch(new RegExp(`${reason}|node-1 does not start as a primary: node-2 is on timeline 2.*\\n$`));
  await expect.poll(() => isStandby(newer), { timeout: 30_000 }).toBe("f");
  await sleep(1000);
  expect(await refusal(logins[0] as Login)).toMatch(/ECONNRE|terminated/);
  await docker("start", follower);
});

const STOPPED = "it must not take writes beside a newer primary";

/** Starts the old primary where none of its peers reaches it, and then lets them. */
async function startAlone(older: string, beforeItIsReached: () => Promise<unknown> = async () => undefined) {
  const network = `pg-topology-${stack.name}-network`;
  await docker("stop", older);
  await docker("network", "disconnect", network, older);
  await docker("start", older);
  await expect.poll(() => isStandby(older), { timeout: 30_000 }).toBe("f");
  await beforeItIsReached();
  await docker("network", "connect", "--alias", "node-1", network, older);
  await expect.poll(() => isStandby(older), { timeout: 30_000 }).not.toBe("f");
}

const inData = (container: string, command: string): Promise<string> =>
  docker("exec", "-u", "postgres", container, "sh", "-c", `cd "$PGDATA" && ${command}`);

test("an old primary that was cut off from its peers stops once it reaches them again", async () => {
  const [older = ""] = containers;
  await startAlone(older);
  await expect.poll(() => logOf(older), { timeout: 30_000 }).toContain(STOPPED);
});

test("also where an interrupted switchover has left it to be a standby from its next start on", async () => {
  const [older = ""] = containers;
  const before = (await logOf(older)).length;
  await startAlone(older, () => inData(older, "touch standby.signal"));
  expect((await logOf(older)).slice(before)).toContain(STOPPED);
  await inData(older, "rm standby.signal");
  await docker("restart", older);
});

inWorld(() => {
  test("named in the stack file, the promoted one is adopted and the old primary follows it", async () => {
    const ids = await Promise.all(containers.map(containerId));
    // What it wrote while it was alone are its own shutdown checkpoints, which nobody misses.
    await stack.configure({ ...config, primary: "node-2", acknowledge: { rejoin: ["node-1"] } });
    const preview = await stack.succeed(["preview"]);
    expect(preview).toContain("node-2 is the primary already");
    expect(preview).toMatch(/node-1 rejoins by (streaming|pg_rewind)/);
    await stack.up();
    await expectStreaming(stack, "node-2", ["node-1", "node-3"]);
    expect(await Promise.all(containers.map(containerId))).toEqual(ids);
    await stack.expectNoChanges();
  });

  test("an old copy of its data, put back, makes no primary of it, and the next update lets it rejoin", async () => {
    const [older = ""] = containers;
    await docker("stop", older);
    const before = (await logOf(older)).length;
    await copyVolume(copyOfData(), dataVolume());
    await docker("start", older);
    await expect
      .poll(async () => (await logOf(older)).slice(before), { timeout: 30_000 })
      .toContain("guard: node-1 does not start as a primary: node-2 is on timeline 2, node-1 on timeline 1.");
    expect(await isStandby(stack.container("node-2"))).toBe("f");
    await stack.up();
    await expectStreaming(stack, "node-2", ["node-1", "node-3"]);
    await docker("volume", "rm", copyOfData());
  });

  // A promotion takes standby.signal away before the history file of the new timeline is there: a guard that looks in
  // between takes the old timeline for its own.
  test("a guard that looked in the middle of a promotion does not stop the new primary", async () => {
    const [, primary = "", promoted = ""] = containers;
    const { StartedAt: startedAt } = (await inspect(promoted)).State;
    await docker("stop", primary);
    await inData(promoted, "rm standby.signal");
    // Longer than a guard rests between two questions.
    await sleep(4500);
    await inData(promoted, 'touch standby.signal && psql -XAtqc "SELECT pg_promote()" postgres');
    await expectStreaming(stack, "node-3", ["node-1"]);
    await sleep(4500);
    expect((await inspect(promoted)).State.StartedAt).toBe(startedAt);
    expect(await isStandby(promoted)).toBe("f");
  });
});
