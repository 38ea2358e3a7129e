import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { byName, update } from "../support/changes.ts";
import type { Change } from "../support/changes.ts";
import { containerId, containersOf, docker, volumesOf } from "../support/containers.ts";
import { freePorts } from "../support/ports.ts";
import { expectStreaming, slotsOn } from "../support/replication-checks.ts";
import { psqlIn, startTimeIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";

const NODES = ["node-1", "node-2", "node-3", "node-4", "node-5"];

interface Case {
  readonly mode: string;
  readonly replication: StackConfig;
  /** Numbers of standbys, one after the other. */
  readonly standbys: readonly [number, ...number[]];
  /** What happens to a standby before it is removed. */
  readonly accident: (stack: TestStack, node: string) => Promise<void>;
}

const CASES: readonly Case[] = [
  {
    mode: "asynchronous",
    replication: { synchronous: { mode: "async" } },
    standbys: [1, 2, 4, 1],
    accident: async () => {},
  },
  {
    mode: "synchronous",
    replication: { synchronous: { mode: "quorum", count: 1 } },
    standbys: [1, 3, 1],
    accident: holdSlot,
  },
];

describe.each(CASES)("$mode standbys", ({ replication, standbys, accident }) => {
  const [first, ...later] = standbys;
  let stack: TestStack;
  let config: (count: number) => StackConfig;

  beforeAll(async () => {
    const ports = await freePorts(NODES.length);
    config = (count) => ({
      primary: "node-1",
      nodes: NODES.slice(0, count + 1).map((name, index) => ({ name, port: ports[index] })),
      replication,
    });
    stack = await TestStack.create(config(first));
    await stack.up();
  });
  afterAll(() => stack.dispose());

  const steps = later.map((to, index) => ({ from: standbys[index] ?? first, to }));

  test.each(steps)("from $from to $to", async ({ from, to }) => {
    const staying = NODES.slice(0, Math.min(from, to) + 1);
    const moving = NODES.slice(staying.length, Math.max(from, to) + 1);
    const before = await marksOf(staying);

    await stack.configure(config(to));
    if (to < from) await accident(stack, NODES[from] ?? "");
    const { changes } = await update(stack);

    const [onMoving, onOthers] = [
      changes.filter(concerns(moving)),
      changes.filter((change) => !concerns(moving)(change)),
    ];
    expect(onOthers.toSorted(byName)).toEqual([
      ...staying.map((node) => ({ op: "update", type: "pgtopology:index:VolumeFiles", name: `${node}-files` })),
      { op: "update", type: "pgtopology:index:Topology", name: "topology" },
    ]);
    expect(new Set(onMoving.map(({ op }) => op))).toEqual(new Set([to > from ? "create" : "delete"]));
    expect(await marksOf(staying)).toEqual(before);

    const nodes = NODES.slice(0, to + 1);
    await expectStreaming(stack, "node-1", nodes.slice(1));
    for (const node of nodes) {
      const others = nodes.filter((other) => other !== node);
      expect(await slotsOn(stack.container(node))).toEqual(others.map((other) => other.replaceAll("-", "_")));
    }
    expect(await containersOf(stack)).toEqual(nodes.map((node) => stack.container(node)));
    expect(await volumesOf(stack)).toEqual(
      nodes.flatMap((node) => ["configuration", "data"].map((kind) => `${stack.container(node)}-${kind}`)),
    );
    await stack.expectNoChanges();
  });

  /** What tells whether a node is the same, and was not restarted. */
  const marksOf = (nodes: readonly string[]): Promise<[string, string][]> =>
    Promise.all(
      nodes.map(async (node): Promise<[string, string]> => {
        const container = stack.container(node);
        return [await containerId(container), await startTimeIn(container)];
      }),
    );
});

/** The standby is down, and a tool of somebody's receives WAL from its slot on the primary. */
async function holdSlot(stack: TestStack, node: string): Promise<void> {
  const [primary, slot] = [stack.container("node-1"), node.replaceAll("-", "_")];
  await docker("stop", stack.container(node));
  const conninfo = "host=node-1 user=repuser passfile=/etc/pg-topology/passfile sslmode=require";
  const receive = ["pg_receivewal", "--no-loop", "-d", conninfo, "-S", slot, "-D", "/tmp"];
  await docker("exec", "--detach", "--user", "postgres", primary, ...receive);
  const isActive = `SELECT active FROM pg_replication_slots WHERE slot_name = '${slot}'`;
  await expect.poll(() => psqlIn(primary, isActive), { timeout: 15_000 }).toBe("t");
}

const concerns =
  (nodes: readonly string[]) =>
  ({ name }: Change): boolean =>
    nodes.some((node) => name === node || name.includes(`${node}-`));
