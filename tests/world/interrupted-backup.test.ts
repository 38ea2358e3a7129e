import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommand, startCommand } from "../support/commands.ts";
import { containersOf, docker, shellIn } from "../support/containers.ts";
import { randomInterruptions, signalTree } from "../support/interruptions.ts";
import { objectWith } from "../support/matchers.ts";
import { freePorts } from "../support/ports.ts";
import { recover } from "../support/recover.ts";
import { psqlIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import { statusOf } from "../support/status.ts";

// More moments than an everyday run takes: PG_TOPOLOGY_INTERRUPTIONS=25, and others: PG_TOPOLOGY_SEED=2.
const COUNT = Number(process.env["PG_TOPOLOGY_INTERRUPTIONS"] ?? 3);
const SEED = Number(process.env["PG_TOPOLOGY_SEED"] ?? 1);

let stack: TestStack;
let primary: string;
let barman: string;
let backupMilliseconds: number;

/** One node, and nobody who writes: its WAL files are never full. */
beforeAll(async () => {
  const [port] = await freePorts(1);
  const backup = { enabled: true };
  stack = await TestStack.create({ primary: "node-1", nodes: [{ name: "node-1", port }], backup });
  await stack.up();
  [primary, barman] = [stack.container("node-1"), stack.container("barman")];
});
afterAll(() => stack.dispose());

async function backups(): Promise<{ readonly id: string; readonly status: string }[]> {
  const json = await shellIn(barman, "barman -f json list-backups $(barman list-servers --minimal)");
  const listed = Object.values(JSON.parse(json) as Record<string, { backup_id: string; status: string }[]>).flat();
  return listed.map(({ backup_id: id, status }) => ({ id, status }));
}

const DONE = objectWith({ status: "DONE" });

/** Every backup can be restored, WAL is received, and of the stack there is nothing else. */
async function expectAllWell(): Promise<void> {
  const listed = await backups();
  expect(listed).toEqual(listed.map(() => DONE));
  const receives = "SELECT active FROM pg_replication_slots WHERE slot_name = 'barman'";
  await expect.poll(() => psqlIn(primary, receives)).toBe("t");
  expect(await containersOf(stack)).toEqual([barman, primary]);
  await expect.poll(async () => (await statusOf(stack)).condition, { timeout: 60_000 }).toBe("healthy");
  await stack.expectNoChanges();
}

test("an update of a single node to which nobody writes ends with a backup that can be restored", async () => {
  expect(await backups()).toEqual([DONE]);
  await expectAllWell();
  const startedAt = performance.now();
  expect(await runCommand(stack, "backup", "now")).toMatchObject({ exitCode: 0 });
  backupMilliseconds = performance.now() - startedAt;
});

/** Whoever has to be there for a base backup; what is killed already is no error. */
const KILLED: Readonly<Record<string, () => Promise<unknown>>> = {
  Barman: () => shellIn(barman, "pkill -KILL -f '[b]arman backup'; true"),
  "the container of Barman": () => docker("kill", barman),
  "the primary": () => docker("kill", primary),
};
const INTERRUPTIONS = randomInterruptions(COUNT, SEED).map(({ moment }, index) => {
  const victims = Object.keys(KILLED);
  return { moment, victim: victims[index % victims.length] ?? "" };
});

test.each(INTERRUPTIONS)("$victim is killed after $moment of a base backup: the next update converges", async (how) => {
  const taking = startCommand(stack, "backup", ["now"]);
  // Before Barman is called there is nothing to be killed.
  await sleep((0.2 + 0.8 * how.moment) * backupMilliseconds);
  await KILLED[how.victim]?.();
  await stack.up();
  await taking;
  await expectAllWell();
});

test("the CLI is killed while it takes the first backup: the next update takes that one over", async () => {
  await shellIn(barman, "rm -rf /var/lib/barman/*/base/* /var/lib/barman/*/meta/*-backup.info");
  const up = stack.start(["up", "--yes", "--skip-preview"], { detached: true });
  await expect.poll(backups, { timeout: 120_000, interval: 50 }).toHaveLength(1);
  await signalTree(stack, "SIGKILL");
  await up;
  const [begun] = await backups();
  expect(await recover(stack)).toMatchObject({ exitCode: 0 });
  await stack.up();
  expect(await backups()).toEqual([{ id: begun?.id, status: "DONE" }]);
  await expectAllWell();
});

test("a restore that is killed is no concern of an update, and the next one begins anew", async () => {
  const restore = startCommand(stack, "restore", ["--latest"]);
  const restored = (): Promise<string> => docker("ps", "--all", "--quiet", "--filter", `name=${barman}.restored`);
  await expect.poll(restored, { timeout: 60_000, interval: 50 }).not.toBe("");
  process.kill(-(restore.pid ?? 0), "SIGKILL");
  await restore;
  await expectAllWell();
  expect(await runCommand(stack, "restore", "--latest")).toMatchObject({ exitCode: 0 });
  expect(await runCommand(stack, "restore", "--remove")).toMatchObject({ exitCode: 0 });
  expect(await restored()).toBe("");
  expect(await docker("volume", "ls", "--quiet", "--filter", `name=${barman}.restored`)).toBe("");
});
