import { afterAll, beforeAll, expect, test } from "vitest";
import { shellIn } from "../support/containers.ts";
import { signalTree } from "../support/interruptions.ts";
import { freePorts } from "../support/ports.ts";
import { recover } from "../support/recover.ts";
import { psqlIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";

const QUORUM = { synchronous: { mode: "quorum", count: 1 } };
const NAMES = 'ANY 1 ("node-2")';

let stack: TestStack;
let config: StackConfig;

beforeAll(async () => {
  const nodes = (await freePorts(2)).map((port, index) => ({ name: `node-${index + 1}`, port }));
  config = { primary: "node-1", nodes };
  stack = await TestStack.create({ ...config, replication: QUORUM });
  await stack.up();
});
afterAll(() => stack.dispose());

const onPrimary = (sql: string): Promise<string> => psqlIn(stack.container("node-1"), sql);
const names = (): Promise<string> => onPrimary("SHOW synchronous_standby_names");
const altered = (): Promise<string> =>
  onPrimary("SELECT count(*) FROM pg_file_settings WHERE sourcefile ~ 'auto.conf$' AND name ~ '^synchronous'");

/**
 * Holds an update between saying by ALTER SYSTEM that a promise changes and proving the files: its next session waits for
 * a postmaster that takes none.
 */
const HOLD_ONCE_MARKED = `
until grep -q synchronous_standby_names "$PGDATA/postgresql.auto.conf"; do sleep 0.01; done
kill -STOP "$(head -1 "$PGDATA/postmaster.pid")"`;
const LET_GO = 'kill -CONT "$(head -1 "$PGDATA/postmaster.pid")"';

/** It receives nothing, and to the primary it is there. */
async function freezeReceiver(signal: "STOP" | "CONT"): Promise<void> {
  const pid = await psqlIn(stack.container("node-2"), "SELECT pid FROM pg_stat_wal_receiver");
  await shellIn(stack.container("node-2"), `kill -${signal} ${pid}`);
}

test("a guarantee is one once what was committed without it is confirmed, whatever was interrupted in between", async () => {
  const lowered = { ...config, acknowledge: { synchronous: true } };
  await stack.configure(lowered);
  const held = shellIn(stack.container("node-1"), HOLD_ONCE_MARKED);
  const down = stack.start(["up", "--yes", "--skip-preview"], { detached: true });
  await held;
  await signalTree(stack, "SIGKILL");
  await down;
  await shellIn(stack.container("node-1"), LET_GO);
  await expect.poll(names, { timeout: 10_000, interval: 100 }).toBe("");
  expect(await altered()).toBe("1");
  await recover(stack);

  await freezeReceiver("STOP");
  await onPrimary("CREATE TABLE unconfirmed ()");
  await stack.configure({ ...config, replication: QUORUM });
  const back = stack.start(["up", "--yes", "--skip-preview"], { detached: true });
  await expect.poll(names, { timeout: 120_000, interval: 20 }).toBe(NAMES);
  expect(await altered()).toBe("1");
  process.kill(-(back.pid ?? 0), "SIGKILL");
  await back;
  expect(await altered()).toBe("1");
  await recover(stack);

  await freezeReceiver("CONT");
  await stack.up();
  expect(await names()).toBe(NAMES);
  expect(await altered()).toBe("0");
  await stack.expectNoChanges();
});

test("once lowered, commits wait for nobody, and the files alone say so", async () => {
  await stack.configure({ ...config, acknowledge: { synchronous: true } });
  await stack.up();
  expect(await names()).toBe("");
  expect(await altered()).toBe("0");
  await stack.expectNoChanges();
});
