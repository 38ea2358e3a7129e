import { afterAll, beforeAll, expect, test } from "vitest";
import { containerId, docker } from "../support/containers.ts";
import { freePorts } from "../support/ports.ts";
import { expectStreaming } from "../support/replication-checks.ts";
import { psqlIn, startTimeIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";

let stack: TestStack;
let primary: string;
let standby: string;

beforeAll(async () => {
  const nodes = (await freePorts(2)).map((port, index) => ({ name: `node-${index + 1}`, port }));
  const parameters = { max_slot_wal_keep_size: "64MB", wal_keep_size: 0, max_wal_size: "64MB" };
  stack = await TestStack.create({ primary: "node-1", nodes, parameters });
  [primary, standby] = [stack.container("node-1"), stack.container("node-2")];
  await stack.up();
});
afterAll(() => stack.dispose());

const write = async (segments: number): Promise<void> => {
  for (let segment = 0; segment < segments; segment++) {
    await psqlIn(
      primary,
      "CREATE TABLE IF NOT EXISTS kept (n int); INSERT INTO kept VALUES (1); SELECT pg_switch_wal()",
    );
  }
  await psqlIn(primary, "CHECKPOINT");
};

const slotState = (): Promise<string> =>
  psqlIn(primary, "SELECT wal_status FROM pg_replication_slots WHERE slot_name = 'node_2'");

test("a standby that is away: preview says when its WAL is lost, then that it is cloned again, and up does it", async () => {
  await docker("stop", standby);
  await write(2);
  expect(await stack.succeed(["preview"])).toMatch(
    /node-2: node-1 keeps WAL for it, and at the present rate loses it in about \d+ (s|min|h)/,
  );

  await write(6);
  expect(await slotState()).toBe("lost");
  const before = [await containerId(standby), await startTimeIn(primary)];
  expect(await stack.succeed(["preview"])).toMatch(
    /node-2: node-1 has no longer the WAL that it needs: .*: a new base backup of it is taken, [\d.]+ MB, about \d+ s, from the primary/,
  );

  await stack.up();
  await expectStreaming(stack, "node-1", ["node-2"]);
  expect(await psqlIn(standby, "SELECT count(*) FROM kept")).toBe("8");
  expect([await containerId(standby), await startTimeIn(primary)]).toEqual(before);
  expect(await slotState()).toBe("reserved");
  await stack.expectNoChanges();
});

test("a standby that was away, and whose slot somebody dropped, is cloned again too", async () => {
  await docker("stop", standby);
  await psqlIn(primary, "SELECT pg_drop_replication_slot('node_2')");
  await write(6);
  await stack.up();
  await expectStreaming(stack, "node-1", ["node-2"]);
  expect(await psqlIn(standby, "SELECT count(*) FROM kept")).toBe("14");
  await stack.expectNoChanges();
});
