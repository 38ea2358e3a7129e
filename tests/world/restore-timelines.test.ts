import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommand } from "../support/commands.ts";
import { docker, shellIn } from "../support/containers.ts";
import { freePorts } from "../support/ports.ts";
import { psqlIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";

let stack: TestStack;
let config: StackConfig;
let barman: string;

beforeAll(async () => {
  const nodes = (await freePorts(2)).map((port, index) => ({ name: `node-${index + 1}`, port }));
  config = { primary: "node-1", nodes, backup: { enabled: true } };
  stack = await TestStack.create(config);
  await stack.up();
  barman = stack.container("barman");
});
afterAll(() => stack.dispose());

const write = (node: string, note: string): Promise<string> =>
  psqlIn(stack.container(node), `INSERT INTO ledger (note) VALUES ('${note}')`, "app");
/** A moment at which nothing is written: the clocks of commits and of this question are the same. */
async function momentOn(node: string): Promise<string> {
  await sleep(200);
  const moment = await psqlIn(stack.container(node), "SELECT clock_timestamp()");
  await sleep(200);
  return moment;
}

const NOTES = "SELECT string_agg(note, ', ' ORDER BY note) FROM ledger";

async function notesOf(...target: string[]): Promise<string> {
  const { exitCode, output } = await runCommand(stack, "restore", ...target);
  expect({ exitCode, output }).toMatchObject({ exitCode: 0 });
  try {
    return await psqlIn(`${barman}.restored`, NOTES, "app");
  } finally {
    await runCommand(stack, "restore", "--remove");
  }
}

/** Moments, by what was there. */
const moments = { shared: "", alone: "", after: "" };

test("a failover loses what only the old primary had, and Barman", async () => {
  const [one, two] = [stack.container("node-1"), stack.container("node-2")];
  await psqlIn(one, "CREATE TABLE ledger (note text)", "app");
  await write("node-1", "a: both had it");
  await expect.poll(() => psqlIn(two, "SELECT count(*) FROM ledger", "app").catch(String)).toBe("1");
  moments.shared = await momentOn("node-1");
  await docker("stop", two);
  await write("node-1", "b: the old primary alone");
  await psqlIn(one, "SELECT pg_create_restore_point('the old primary alone')");
  moments.alone = await momentOn("node-1");
  // Barman has what the network has: it is not a moment behind.
  await sleep(2000);
  await docker("kill", one);
  await docker("start", two);

  config = { ...config, primary: "node-2", acknowledge: { failover: { lostBytes: 100_000_000 } } };
  await stack.configure(config);
  await stack.up();
  await write("node-2", "c: the new primary");
  moments.after = await momentOn("node-2");
  await write("node-2", "d: later");
});

test("a moment before it comes back as the old primary had it, and one after it as the new one has", async () => {
  expect(await notesOf("--at", moments.alone)).toBe("a: both had it, b: the old primary alone");
  expect(await notesOf("--at", moments.shared)).toBe("a: both had it");
  expect(await notesOf("--at", moments.after)).toBe("a: both had it, c: the new primary");
});

test("a restore point of the old primary is found, and all there is is what the new one has", async () => {
  expect(await notesOf("--name", "the old primary alone")).toBe("a: both had it, b: the old primary alone");
  expect(await notesOf("--latest")).toBe("a: both had it, c: the new primary, d: later");
});

test("what was written after the primary demands more of whoever replays its WAL comes back as well", async () => {
  await stack.configure({ ...config, parameters: { max_connections: 250 } });
  await stack.up();
  await write("node-2", "e: of more connections");
  expect(await notesOf("--latest")).toBe("a: both had it, c: the new primary, d: later, e: of more connections");
});

test("what Barman has for long is restored while it receives nothing, and what may be missing is told", async () => {
  const signal = (name: string): Promise<string> => shellIn(barman, `kill -${name} $(pgrep -x pg_receivewal)`);
  await signal("STOP");
  try {
    await write("node-2", "f: not received");
    const { exitCode, output } = await runCommand(stack, "restore", "--at", moments.after);
    expect({ exitCode, output }).toMatchObject({ exitCode: 0 });
    expect(output).toContain("what was written last may be missing: waited 60 s for the WAL file");
    expect(await psqlIn(`${barman}.restored`, NOTES, "app")).toBe("a: both had it, c: the new primary");
    await runCommand(stack, "restore", "--remove");
    const tooLate = await runCommand(stack, "restore", "--at", await momentOn("node-2"));
    expect(tooLate.output).toContain("Barman has not received all that was written up to");
    expect(tooLate.exitCode).toBe(1);
  } finally {
    await signal("CONT");
    await runCommand(stack, "restore", "--remove");
  }
});
