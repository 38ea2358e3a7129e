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
