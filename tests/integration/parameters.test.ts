import { afterAll, beforeAll, expect, test } from "vitest";
import { execa } from "execa";
import { docker, logOf, shellIn } from "../support/containers.ts";
import { Ledger } from "../support/ledger.ts";
import type { StackOutputs } from "../support/outputs.ts";
import { freePorts } from "../support/ports.ts";
import { recover } from "../support/recover.ts";
import { expectStreaming } from "../support/replication-checks.ts";
import { TestStack } from "../support/stack.ts";
import { inWorld } from "../support/world.ts";

/** What is promised is a median of 2 s; a machine that does much else at once may need longer. */
const GAP_LIMIT_MILLISECONDS = 4000;

let stack: TestStack;
let nodes: { name: string; port: number }[];

beforeAll(async () => {
  nodes = (await freePorts(2)).map((port, index) => ({ name: `node-${index + 1}`, port }));
  stack = await TestStack.create({ primary: "node-1", nodes, parameters: { work_mem: "8MB" } });
  await stack.up();
});
afterAll(() => stack.dispose());

const configure = (parameters: Record<string, unknown>): Promise<void> =>
  stack.configure({ primary: "node-1", nodes, parameters });

const ask = async (node: string, sql: string): Promise<string> =>
  (await execa("docker", ["exec", "-u", "postgres", stack.container(node), "psql", "-XAtqc", sql])).stdout;

const onAll = (sql: string): Promise<string[]> => Promise.all(nodes.map(({ name }) => ask(name, sql)));

const files = (): Promise<string[]> =>
  onAll("SELECT string_agg(setting, ',' ORDER BY seqno) FROM pg_file_settings WHERE sourcefile ~ '/postgresql.conf$'");

test("parameters of the stack file hold on every node", async () => {
  expect(await onAll("SHOW work_mem")).toEqual(["8MB", "8MB"]);
});

test("a value that the server does not take is refused in its own words, and written nowhere", async () => {
  const before = await files();
  await configure({ work_mem: "1kB", no_such_parameter: "on" });
  const preview = await stack.pulumi(["preview"]);
  expect(preview.exitCode).not.toBe(0);
  expect(preview.output).toContain('1 kB is outside the valid range for parameter "work_mem" (64 kB .. 2147483647 kB)');
  expect(preview.output).toContain('unrecognized configuration parameter "no_such_parameter"');
  expect(await stack.failingUp()).toContain("the server refuses a parameter of the stack file");
  expect(await files()).toEqual(before);
});

test("a change that a reload makes effective restarts nothing, and preview says so", async () => {
  const before = await onAll("SELECT pg_postmaster_start_time()");
  await configure({ work_mem: "16MB" });
  expect(await stack.succeed(["preview"])).toContain("reload, 0 restarts: work_mem");
  await stack.up();
  expect(await onAll("SHOW work_mem")).toEqual(["16MB", "16MB"]);
  expect(await onAll("SELECT pg_postmaster_start_time()")).toEqual(before);
  await stack.expectNoChanges();
});

/** What holds after the tests so far. */
let held = { work_mem: "16MB", max_connections: 150 };

test("more connections: standbys restart first, the primary last, and preview says so", async () => {
  const ledger = await Ledger.start((await stack.outputs<StackOutputs>()).readWriteUri);
  try {
    await configure(held);
    expect(await stack.succeed(["preview"])).toMatch(
      /rolling restart: node-2, node-1 \(max_connections\); write gap about 1 s/,
    );
    await stack.up();
    expect(await onAll("SHOW max_connections")).toEqual(["150", "150"]);
    const [primary = "", standby = ""] = await onAll("SELECT extract(epoch FROM pg_postmaster_start_time())");
    expect(Number(standby)).toBeLessThan(Number(primary));

    const { longestGapMilliseconds } = await ledger.stop();
    const { lastRestart } = await stack.outputs<StackOutputs>();
    expect(lastRestart?.nodes).toEqual(["node-2", "node-1"]);
    expect(longestGapMilliseconds).toBeLessThan(GAP_LIMIT_MILLISECONDS);
    expect(Math.abs((lastRestart?.writeGapMs ?? 0) - longestGapMilliseconds)).toBeLessThan(2000);
    expect(await ledger.lost()).toEqual([]);
  } finally {
    await ledger.stop();
  }
});

inWorld(() => {
  test("fewer connections: the primary restarts first, and preview says so", async () => {
    held = { ...held, max_connections: 60 };
    await configure(held);
    expect(await stack.succeed(["preview"])).toContain("rolling restart: node-1, node-2 (max_connections)");
    await stack.up();
    expect(await onAll("SHOW max_connections")).toEqual(["60", "60"]);
    const [primary = "", standby = ""] = await onAll("SELECT extract(epoch FROM pg_postmaster_start_time())");
    expect(Number(primary)).toBeLessThan(Number(standby));
    expect(await ask("node-1", "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")).toBe("1");
    await stack.expectNoChanges();
  });
});

/** The server takes it as a value, and does not start with it. */
const FATAL = { shared_preload_libraries: "no_such_library" };

const liveFile = (node: string): Promise<string> =>
  shellIn(stack.container(node), "cat /etc/pg-topology/postgresql.conf");

test("a node that does not come back gets its old files again, and the next one is never touched", async () => {
  const before = await ask("node-1", "SELECT pg_postmaster_start_time()");
  const files = await liveFile("node-2");
  await configure({ ...held, ...FATAL });
  const output = await stack.failingUp();
  expect(output).toContain("node-2 did not come back with its new files");
  expect(output).toContain('could not access file "no_such_library"');
  expect(output).toContain("Its old files are back and it runs with them");
  expect(await ask("node-1", "SELECT pg_postmaster_start_time()")).toBe(before);
  for (const { name } of nodes) expect(await liveFile(name)).toBe(files.replaceAll("node-2", name));
  await expectStreaming(stack, "node-1", ["node-2"]);
});

inWorld(() => {
  test("an update that is killed while a node does not come back leaves the others their files, and the next one heals", async () => {
    const up = stack.start(["up", "--yes", "--skip-preview"], { detached: true });
    await expect
      .poll(() => logOf(stack.container("node-2")).then(fatalLines), { timeout: 60_000, interval: 50 })
      .toBeGreaterThan(fatalLines(await logOf(stack.container("node-2"))));
    process.kill(-(up.pid ?? 0), "SIGKILL");
    await up;
    expect(await liveFile("node-1")).not.toContain("no_such_library");

    await configure(held);
    await recover(stack);
    await stack.up();
    expect(await onAll("SHOW shared_preload_libraries")).toEqual(["", ""]);
    await expectStreaming(stack, "node-1", ["node-2"]);
    await stack.expectNoChanges();
  });
});

/** The library is on one node only: the other does not start with it. */
const HALF_THERE = { shared_preload_libraries: "half_there" };

inWorld(() => {
  test("what an update that failed half-way left on a standby is found when its line is taken back, and undone", async () => {
    const libraries = "$(dirname $(find / -name auto_explain.so 2>/dev/null | head -n 1))";
    await shellIn(stack.container("node-2"), `cd ${libraries} && cp auto_explain.so half_there.so`);
    const before = await ask("node-1", "SELECT pg_postmaster_start_time()");
    await configure({ ...held, ...HALF_THERE });
    expect(await stack.failingUp()).toContain("node-1 did not come back with its new files");
    expect(await onAll("SHOW shared_preload_libraries")).toEqual(["", "half_there"]);
    expect(await stack.succeed(["preview"])).toContain("rolling restart: node-1 (shared_preload_libraries)");

    await configure(held);
    const preview = await stack.succeed(["preview"]);
    expect(preview).toContain("rolling restart: node-2 (shared_preload_libraries)");
    const restarted = await ask("node-1", "SELECT pg_postmaster_start_time()");
    expect(restarted).not.toBe(before);
    await stack.up();
    expect(await onAll("SHOW shared_preload_libraries")).toEqual(["", ""]);
    expect(await ask("node-1", "SELECT pg_postmaster_start_time()")).toBe(restarted);
    await expectStreaming(stack, "node-1", ["node-2"]);
    await stack.expectNoChanges();
  });

  test("a server that does not start any more with what is left of such an update gets the files of the stack file", async () => {
    await configure({ ...held, ...HALF_THERE });
    await stack.failingUp();
    await shellIn(stack.container("node-2"), "find / -name half_there.so -delete 2>/dev/null || true");
    await docker("restart", stack.container("node-2"));
    await configure(held);
    await expect
      .poll(() => stack.succeed(["preview"]), { timeout: 60_000 })
      .toContain("ends with the files that it has");
    await stack.up();
    expect(await onAll("SHOW shared_preload_libraries")).toEqual(["", ""]);
    await expectStreaming(stack, "node-1", ["node-2"]);
    await stack.expectNoChanges();
  });
});

const fatalLines = (log: string): number => log.split("no_such_library").length;

/** In a node's configuration volume, which its own container cannot write. */
async function appendByHand(node: string, file: string, line: string): Promise<void> {
  const volume = `${stack.container(node)}-configuration:/configuration`;
  await docker(
    "run",
    "--rm",
    "--volume",
    volume,
    "postgres:17",
    "sh",
    "-c",
    `echo '${line}' >> /configuration/${file}`,
  );
}

test("what was done by hand to a server's settings is named in preview, and undone by the next update", async () => {
  await configure(held);
  await ask("node-2", "ALTER SYSTEM SET work_mem = '77MB'");
  await ask("node-2", "SELECT pg_reload_conf()");
  await ask("node-2", "SELECT pg_wal_replay_pause()");
  await appendByHand("node-1", "pg_hba.conf", "host all all");
  await appendByHand("node-2", "pg_hba.conf", "host all all 0.0.0.0/0 trust");
  const preview = await stack.succeed(["preview"]);
  for (const { name } of nodes) {
    const told = String.raw`\(${name}-files\):\s+warning: \S*pg_hba.conf was changed by hand, .*: it is written again`;
    expect(preview).toMatch(new RegExp(told));
  }
  expect(preview).toMatch(/node-1: .*pg_hba.conf.*: its files are written again, by a reload/);
  expect(preview).toContain("node-2: ALTER SYSTEM has set work_mem, past the stack file: it is reset");
  expect(preview).toContain("node-2: replay is paused: it is resumed");
  await stack.up();
  expect(await onAll("SHOW work_mem")).toEqual(["16MB", "16MB"]);
  expect(await ask("node-2", "SELECT pg_get_wal_replay_pause_state()")).toBe("not paused");
  const wrong = "SELECT count(*) FROM pg_hba_file_rules WHERE error IS NOT NULL OR auth_method = 'trust'";
  expect(await onAll(wrong)).toEqual(["0", "0"]);
  await stack.expectNoChanges();
});
