import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommand } from "../support/commands.ts";
import { docker, shellIn } from "../support/containers.ts";
import { freePorts } from "../support/ports.ts";
import { psqlIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import { statusOf } from "../support/status.ts";

const SIZE_MEGABYTES = 250;

let stack: TestStack;
let primary: string;
let barman: string;
/** What is in memory stays only as long as a container uses it. */
let holder: string;

beforeAll(async () => {
  const [port] = await freePorts(1);
  stack = await TestStack.create({
    primary: "node-1",
    nodes: [{ name: "node-1", port }],
    parameters: { max_slot_wal_keep_size: "96MB", wal_keep_size: "0", max_wal_size: "64MB", min_wal_size: "32MB" },
    backup: { enabled: true },
  });
  [primary, barman] = [stack.container("node-1"), stack.container("barman")];
  const labels = Object.entries(stack.labels).flatMap(([key, value]) => ["--label", `${key}=${value}`]);
  const memory = ["--opt", "type=tmpfs", "--opt", "device=tmpfs"];
  const options = `o=size=${SIZE_MEGABYTES}m,uid=999,gid=999,mode=0700`;
  await docker("volume", "create", ...labels, ...memory, "--opt", options, `${barman}-data`);
  holder = `${barman}-holder`;
  const mount = ["-v", `${barman}-data:/data`];
  await docker("run", "-d", "--init", "--name", holder, ...mount, "--entrypoint", "sleep", "postgres:17", "1200");
  await stack.up();
  await psqlIn(primary, "CREATE TABLE written (number serial)");
});
afterAll(async () => {
  await docker("rm", "--force", "--volumes", holder);
  await stack.dispose();
});

/** Leaves so much room in the volume of the backups, and no more. */
async function fillUpTo(freeMegabytes: number): Promise<void> {
  const free = "$(df --output=avail --block-size=1M /data | tail -n 1)";
  const dd = "dd if=/dev/zero of=/data/ballast bs=1M oflag=append conv=notrunc";
  // What is rounded up does not fit.
  await shellIn(holder, `${dd} count=$((${free} - ${freeMegabytes})) || true`);
}

/** Rows, each in a WAL file of its own. */
async function write(count: number): Promise<void> {
  await psqlIn(primary, "INSERT INTO written DEFAULT VALUES; SELECT pg_switch_wal();".repeat(count));
}

const kinds = async (): Promise<string[]> => (await statusOf(stack)).problems.map(({ kind }) => kind);

const newestBackup = (): Promise<string> => shellIn(barman, "ls /var/lib/barman/*/base | tail -n 1");

test("a base backup that finds no room fails, and leaves the room that there was to the WAL", async () => {
  await psqlIn(primary, "CREATE TABLE large AS SELECT repeat('x', 1000) AS text FROM generate_series(1, 20000)");
  await fillUpTo(45);
  const { exitCode, output } = await runCommand(stack, "backup", "now");
  expect(exitCode).toBe(1);
  expect(output).toMatch(/the base backup failed .* free/);
  await write(1);
  await expect
    .poll(() => psqlIn(primary, "SELECT active FROM pg_replication_slots WHERE slot_name = 'barman'"))
    .toBe("t");
});

test("a volume that is full keeps nobody from writing, and everybody is told", async () => {
  await fillUpTo(0);
  await write(3);
  await expect.poll(kinds, { timeout: 60_000 }).toContain("backup-volume-full");
  const output = await stack.failingUp();
  expect(output).toMatch(/the backup server: its volume has .* free, which is too little for the WAL/);
  expect(output).toContain("the backup server cannot go on: its volume has");
  expect(output).toContain("Make room where the engine keeps its volumes");
  await write(1);
});

test("the WAL that the primary keeps for it is bounded, and told before and after it is lost", async () => {
  await expect
    .poll(
      async () => {
        await write(1);
        return kinds();
      },
      { timeout: 120_000 },
    )
    .toContain("backup-wal-kept");
  await expect
    .poll(
      async () => {
        await write(1);
        await psqlIn(primary, "CHECKPOINT");
        return kinds();
      },
      { timeout: 120_000 },
    )
    .toContain("backup-wal-gone");
});

test("with room again an update brings everything back, with a base backup after the gap", async () => {
  const before = await newestBackup();
  await shellIn(holder, "rm /data/ballast");
  const output = await stack.up();
  expect(output).toContain("the WAL receiver begins anew: the primary has no longer the WAL that comes next");
  expect(await newestBackup()).not.toBe(before);
  await stack.expectNoChanges();
  await expect.poll(kinds, { timeout: 60_000 }).toEqual([]);
});
