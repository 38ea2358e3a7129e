import { afterAll, beforeAll, expect, test } from "vitest";
import { randomInterruptions } from "../support/interruptions.ts";
import { Ledger } from "../support/ledger.ts";
import type { StackOutputs } from "../support/outputs.ts";
import { freePorts } from "../support/ports.ts";
import { interruptAndRecover } from "../support/recover.ts";
import { expectStreaming } from "../support/replication-checks.ts";
import { psqlIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";
import { WORLD } from "../support/world.ts";

// More moments than an everyday run takes: PG_TOPOLOGY_INTERRUPTIONS=25, and others: PG_TOPOLOGY_SEED=2.
const COUNT = Number(process.env["PG_TOPOLOGY_INTERRUPTIONS"] ?? (WORLD ? 2 : 1));
const SEED = Number(process.env["PG_TOPOLOGY_SEED"] ?? 1);

/** What an update does besides is interrupted elsewhere: here it is the time around the promotion. */
const BEFORE_PROMOTION_MILLISECONDS = 1200;
const WINDOW_MILLISECONDS = 2400;

const NODES = ["node-1", "node-2", "node-3"];

let stack: TestStack;
let ports: number[];
let ledger: Ledger;
let promotedAfterMilliseconds: number;
let primary = "node-1";

const config = (): StackConfig => ({ primary, nodes: NODES.map((name, index) => ({ name, port: ports[index] })) });

async function writableNodes(): Promise<string[]> {
  const answers = await Promise.all(
    NODES.map((name) => psqlIn(stack.container(name), "SELECT pg_is_in_recovery()").catch(String)),
  );
  return NODES.filter((_, index) => answers[index] === "f");
}

beforeAll(async () => {
  ports = await freePorts(NODES.length);
  stack = await TestStack.create(config());
  await stack.up();
  ledger = await Ledger.start((await stack.outputs<StackOutputs>()).readWriteUri);
  primary = "node-2";
  await stack.configure(config());
  const beganAt = Date.now();
  await stack.up();
  const { lastSwitchover } = await stack.outputs<StackOutputs>();
  promotedAfterMilliseconds = Date.parse(lastSwitchover?.at ?? "") - beganAt;
});
afterAll(async () => {
  await ledger.stop();
  await stack.dispose();
});

test.each(randomInterruptions(COUNT, SEED))(
  "a switchover, $signal ($target) after $moment of the time around the promotion, is finished by the next update",
  async ({ moment, ...way }) => {
    const milliseconds = promotedAfterMilliseconds - BEFORE_PROMOTION_MILLISECONDS + moment * WINDOW_MILLISECONDS;
    const before = primary;
    primary = before === "node-1" ? "node-2" : "node-1";
    await stack.configure(config());
    await interruptAndRecover(stack, { ...way, moment: 1 }, milliseconds);
    expect((await writableNodes()).length).toBeLessThanOrEqual(1);

    await stack.up();
    expect(await writableNodes()).toEqual([primary]);
    const { lastSwitchover } = await stack.outputs<StackOutputs>();
    expect(lastSwitchover).toMatchObject({ from: before, to: primary });
    await ledger.untilWritten();
    expect(await ledger.lost()).toEqual([]);
    const standbys = NODES.filter((node) => node !== primary);
    await expectStreaming(stack, primary, standbys);
    await stack.expectNoChanges();
  },
);
