import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { update } from "../support/changes.ts";
import { containerId, docker } from "../support/containers.ts";
import { freePorts } from "../support/ports.ts";
import { expectStreaming } from "../support/replication-checks.ts";
import { psqlIn, startTimeIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import { WORLD, inWorld } from "../support/world.ts";

const NODES = ["node-1", "node-2"];

let stack: TestStack;
let containers: string[];
let containerIds: string[];

beforeAll(async () => {
  const ports = await freePorts(NODES.length);
  stack = await TestStack.create({
    primary: "node-1",
    nodes: NODES.map((name, index) => ({ name, port: ports[index] })),
    // The standby is slow to connect again: a preview that looks only once finds it missing.
    parameters: { wal_retrieve_retry_interval: "5s" },
  });
  await stack.up();
  containers = NODES.map((node) => stack.container(node));
  containerIds = await Promise.all(containers.map(containerId));
});
afterAll(() => stack.dispose());

const FIRST = { when: "right after the first update", meanwhile: async () => {} };
const LATER = [
  { when: "after every container was restarted", meanwhile: () => docker("restart", ...containers) },
  {
    when: "after every container was killed and started",
    meanwhile: async () => {
      await docker("kill", ...containers);
      await docker("start", ...containers);
    },
  },
];

describe.each(WORLD ? [FIRST, ...LATER] : [FIRST])("$when, nothing changes", ({ meanwhile }) => {
  let startTimes: string[];

  // No waiting for the standby in between: it is back by itself, so that there is nothing to report.
  beforeAll(async () => {
    await meanwhile();
  });

  test("in a preview", async () => {
    await stack.expectNoChanges();
    await expectStreaming(stack, "node-1", ["node-2"]);
    startTimes = await Promise.all(containers.map(startTimeIn));
  });

  test("in an update", async () => {
    expect((await update(stack)).changes).toEqual([]);
  });

  test("in either, with the state refreshed", async () => {
    await stack.expectNoChanges("--refresh");
    expect((await update(stack, "--refresh")).changes).toEqual([]);
  });

  test("and the servers were left alone", async () => {
    expect(await Promise.all(containers.map(containerId))).toEqual(containerIds);
    expect(await Promise.all(containers.map(startTimeIn))).toEqual(startTimes);
  });
});

inWorld(() => {
  test("a standby that is about to connect again is no change", async () => {
    const breakReplication = "SELECT pg_terminate_backend(pid) FROM pg_stat_replication";
    await psqlIn(stack.container("node-1"), breakReplication);
    await expectStreaming(stack, "node-1", ["node-2"]);
    // After the first break it connects again at once, after the second it waits for its wal_retrieve_retry_interval.
    await psqlIn(stack.container("node-1"), breakReplication);
    await stack.expectNoChanges();
  });
});

const STOPPED = { stopped: ["node-2"], args: [] };
const STOPPED_TOO = [
  { stopped: ["node-2"], args: ["--refresh"] },
  { stopped: NODES, args: [] },
];

test.each(WORLD ? [STOPPED, ...STOPPED_TOO] : [STOPPED])(
  "$stopped, stopped by hand, started by the next update, which says so ($args)",
  async ({ stopped, args }) => {
    await docker("stop", ...stopped.map((node) => stack.container(node)));
    const { exitCode, output } = await stack.pulumi(["preview", "--expect-no-changes", ...args]);
    expect(exitCode).not.toBe(0);
    for (const node of stopped) {
      expect(output).toContain(`${node}: its container is stopped: it is started`);
    }

    const { changes } = await update(stack, ...args);
    expect(changes).toEqual([{ op: "update", type: "pgtopology:index:Topology", name: "topology" }]);
    await expectStreaming(stack, "node-1", ["node-2"]);
    expect(await Promise.all(containers.map(containerId))).toEqual(containerIds);
    await stack.expectNoChanges(...args);
  },
);
