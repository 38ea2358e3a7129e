import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { containerId, docker } from "../support/containers.ts";
import { derivedImage, removeImages } from "../support/images.ts";
import { Ledger } from "../support/ledger.ts";
import type { StackOutputs } from "../support/outputs.ts";
import { freePorts } from "../support/ports.ts";
import { expectStreaming } from "../support/replication-checks.ts";
import { psqlIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";
import { inWorld } from "../support/world.ts";

const NODES = ["node-1", "node-2", "node-3"];
const NEXT_IMAGE = "pg-topology-test/postgres:17-next";
const BROKEN_IMAGE = "pg-topology-test/postgres:17-broken";

let stack: TestStack;
let config: (image: string) => StackConfig;

beforeAll(async () => {
  await derivedImage(NEXT_IMAGE, "postgres:17", "ENV NEXT=1");
  await derivedImage(BROKEN_IMAGE, "postgres:17", "RUN rm /usr/lib/postgresql/17/bin/postgres");
  const ports = await freePorts(NODES.length);
  config = (image) => ({ image, primary: "node-1", nodes: NODES.map((name, index) => ({ name, port: ports[index] })) });
  stack = await TestStack.create(config("postgres:17"));
  await stack.up();
});
afterAll(async () => {
  await stack.dispose();
  await removeImages(NEXT_IMAGE, BROKEN_IMAGE);
});

const ids = (): Promise<string[]> => Promise.all(NODES.map((node) => containerId(stack.container(node))));

test("an image whose server does not start ends the update at the first standby", async () => {
  const [primary, second] = await ids();
  await stack.configure(config(BROKEN_IMAGE));
  const output = await stack.failingUp();
  expect(output).toContain("node-3");
  const [primaryAfter, secondAfter] = await ids();
  expect([primaryAfter, secondAfter]).toEqual([primary, second]);
});

test("another image comes to one node after the other, the primary last, while a client writes", async () => {
  const ledger = await Ledger.start((await stack.outputs<StackOutputs>()).readWriteUri);
  try {
    await stack.configure(config(NEXT_IMAGE));
    const preview = await stack.succeed(["preview"]);
    for (const node of NODES) expect(preview).toContain(`the container of ${node} is replaced`);
    expect(preview).toContain("node-1 waits its turn, after node-3, node-2");

    const before = await ids();
    const up = stack.up();
    const downTogether = await mostDownAtOnce(up);
    await up;
    const { longestGapMilliseconds } = await ledger.stop();
    expect(downTogether).toBeLessThanOrEqual(1);
    expect(longestGapMilliseconds).toBeLessThan(15_000);
    expect(await ledger.lost()).toEqual([]);

    const after = await ids();
    for (const [index, id] of before.entries()) expect(after[index]).not.toBe(id);
    const images = await Promise.all(
      NODES.map((node) => docker("inspect", "--format", "{{.Config.Image}}", stack.container(node))),
    );
    expect(images).toEqual(NODES.map(() => NEXT_IMAGE));
    const starts = await Promise.all(
      NODES.map((node) => psqlIn(stack.container(node), "SELECT extract(epoch FROM pg_postmaster_start_time())")),
    );
    const [first = 0, second = 0, third = 0] = starts.map(Number);
    expect(third).toBeLessThan(second);
    expect(second).toBeLessThan(first);
  } finally {
    await ledger.stop();
  }
  await expectStreaming(stack, "node-1", ["node-2", "node-3"]);
  await stack.expectNoChanges();
});

inWorld(() => {
  test("an image and a primary that change in one update are refused, and nothing is touched", async () => {
    const before = await ids();
    await stack.configure({ ...config("postgres:17"), primary: "node-2" });
    const preview = await stack.pulumi(["preview"]);
    expect(preview.exitCode).not.toBe(0);
    expect(preview.output).toContain("node-2 would become the primary in place of node-1 in the same update");
    expect(preview.output).toContain("Run two updates: first with `primary: node-1`");
    expect(await stack.failingUp()).toContain("Run two updates");
    expect(await ids()).toEqual(before);
  });

  test("an image and a password of servers that change in one update are refused", async () => {
    await stack.configure({ ...config("postgres:17"), passwords: { operator: { version: 2 } } });
    const { exitCode, output } = await stack.pulumi(["preview"]);
    expect(exitCode).not.toBe(0);
    expect(output).toContain("`passwords.operator` would change in the same update in which the containers of");
    expect(output).toContain("Run two updates: first with `passwords.operator` as before");
  });

  test("a primary that dies while standbys are replaced is not waited for", async () => {
    await stack.configure(config("postgres:17"));
    const [, , last] = await ids();
    const update = stack.pulumi(["up", "--yes", "--skip-preview"]);
    const lastOne = stack.container("node-3");
    await expect.poll(() => containerId(lastOne).catch(() => last), { timeout: 60_000 }).not.toBe(last);
    await docker("kill", stack.container("node-1"));
    const { exitCode, output } = await update;
    expect(output).toContain("nobody takes writes");
    expect(exitCode, output).toBe(0);
    await expectStreaming(stack, "node-1", ["node-2", "node-3"]);
    await stack.expectNoChanges();
  });

  test("a failover comes before another image, by the way that its refusal names", async () => {
    await docker("kill", stack.container("node-1"));
    const before = await ids();
    const failover = { primary: "node-2", acknowledge: { failover: { lostBytes: 16_777_216 }, rejoin: ["node-1"] } };
    await stack.configure({ ...config(NEXT_IMAGE), ...failover });
    const preview = await stack.pulumi(["preview"]);
    expect(preview.exitCode).not.toBe(0);
    expect(preview.output).toContain("node-2 would take the place of node-1, which does not answer");
    for (const node of NODES) expect(preview.output).toContain(`\`image: postgres:17\` of ${node}`);

    const { nodes } = config(NEXT_IMAGE) as { readonly nodes: readonly object[] };
    const asTheyAre = nodes.map((node) => ({ ...node, image: "postgres:17" }));
    await stack.configure({ ...config(NEXT_IMAGE), ...failover, nodes: asTheyAre });
    await stack.up();
    await expectStreaming(stack, "node-2", ["node-1", "node-3"]);
    expect(await ids()).toEqual(before);

    await stack.configure({ ...config(NEXT_IMAGE), primary: "node-2" });
    await stack.up();
    await expectStreaming(stack, "node-2", ["node-1", "node-3"]);
  });

  test("a port goes from one node to another whose turn comes later, and not the other way round", async () => {
    const { primary } = await stack.outputs<StackOutputs>();
    const image = await docker("inspect", "--format", "{{.Config.Image}}", stack.container("node-3"));
    const [first = 0, second = 0, third = 0] = (config(image)["nodes"] as { port: number }[]).map(({ port }) => port);
    const [free = 0] = await freePorts(1);
    const withPorts = (ports: readonly number[]): Promise<void> =>
      stack.configure({ image, primary, nodes: NODES.map((name, index) => ({ name, port: ports[index] })) });

    await withPorts([first, third, second]);
    const { exitCode, output } = await stack.pulumi(["preview"]);
    expect(exitCode).not.toBe(0);
    expect(output).toContain(`is still that of the container ${stack.container("node-2")} when node-3 needs it`);

    await withPorts(primary === "node-1" ? [third, second, free] : [first, third, free]);
    await stack.up();
    const standbys = NODES.filter((name) => name !== primary);
    await expectStreaming(stack, primary, standbys);
    await stack.expectNoChanges();
  });
});

/** How many nodes had no running container at the same moment, at most. */
async function mostDownAtOnce(update: Promise<unknown>): Promise<number> {
  const ended = new AbortController();
  void update.finally(() => ended.abort()).catch(() => undefined);
  let most = 0;
  const filters = Object.entries(stack.labels).flatMap(([key, value]) => ["--filter", `label=${key}=${value}`]);
  while (!ended.signal.aborted) {
    const names = await docker("ps", "--format", "{{.Names}}", ...filters);
    const running = names.split("\n").filter((name) => NODES.some((node) => name === stack.container(node)));
    most = Math.max(most, NODES.length - running.length);
    await sleep(50);
  }
  return most;
}
