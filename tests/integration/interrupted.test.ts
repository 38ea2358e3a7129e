import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { containerId } from "../support/containers.ts";
import { expectConverged } from "../support/convergence.ts";
import { randomInterruptions } from "../support/interruptions.ts";
import { freePorts } from "../support/ports.ts";
import { interruptAndRecover } from "../support/recover.ts";
import { psqlIn, startTimeIn } from "../support/servers.ts";
import { TestStack, withStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";
import { WORLD, inWorld } from "../support/world.ts";

// More moments than an everyday run takes: PG_TOPOLOGY_INTERRUPTIONS=25, and others: PG_TOPOLOGY_SEED=2.
const COUNT = Number(process.env["PG_TOPOLOGY_INTERRUPTIONS"] ?? (WORLD ? 3 : 1));
const SEED = Number(process.env["PG_TOPOLOGY_SEED"] ?? 1);

const STAYING = ["node-1", "node-2"] as const;
const ALL = [...STAYING, "node-3"] as const;

let stack: TestStack;
let ports: number[];
let firstUpMilliseconds: number;

beforeAll(async () => {
  ports = await freePorts(ALL.length);
  stack = await TestStack.create(config(STAYING, ports));
  firstUpMilliseconds = await duration(() => stack.up());
  await psqlIn(stack.container("node-1"), "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS number");
});
afterAll(() => stack.dispose());

describe.each(randomInterruptions(COUNT, SEED))(
  "a first update, $signal ($target) after $moment of its time",
  (how) => {
    test("the next one converges", async () => {
      await withStack(config(STAYING, await freePorts(STAYING.length)), async (fresh) => {
        await interruptAndRecover(fresh, how, firstUpMilliseconds);
        await fresh.up();
        await expectConverged(fresh, STAYING);
      });
    });
  },
);

inWorld(() => {
  describe("an update that adds a standby", () => {
    let scaleUpMilliseconds: number;
    let untouched: string[];

    beforeAll(async () => {
      untouched = await identities();
      await stack.configure(config(ALL, ports));
      scaleUpMilliseconds = await duration(() => stack.up());
    });

    test.each(randomInterruptions(COUNT, SEED + 1))("$signal ($target) after $moment of its time", async (how) => {
      await stack.configure(config(STAYING, ports));
      await stack.up();
      await expectConverged(stack, STAYING);

      await stack.configure(config(ALL, ports));
      await interruptAndRecover(stack, how, scaleUpMilliseconds);
      await stack.up();
      await expectConverged(stack, ALL);
      expect(await psqlIn(stack.container("node-3"), "SELECT count(*) FROM kept")).toBe("1000");
      expect(await identities()).toEqual(untouched);
    });
  });
});

/** Of those that stay: a restarted server, or another container, would be an interruption of clients as well. */
async function identities(): Promise<string[]> {
  const containers = STAYING.map((node) => stack.container(node));
  return [...(await Promise.all(containers.map(containerId))), ...(await Promise.all(containers.map(startTimeIn)))];
}

function config(nodes: readonly string[], nodePorts: readonly number[]): StackConfig {
  return { primary: "node-1", nodes: nodes.map((name, index) => ({ name, port: nodePorts[index] })) };
}

async function duration(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
