import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { dirname, join } from "node:path";
import type { Browser, Page } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keepScreenshot, openBrowser, textOf, valueIn } from "../support/browser.ts";
import { containerId, docker, inspect, logOf } from "../support/containers.ts";
import { Dashboard } from "../support/dashboard.ts";
import { Ledger } from "../support/ledger.ts";
import type { StackOutputs } from "../support/outputs.ts";
import { freePorts } from "../support/ports.ts";
import { expectStreaming } from "../support/replication-checks.ts";
import { psqlIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";
import { statusOf } from "../support/status.ts";
import { inWorld } from "../support/world.ts";

const NODES = ["node-1", "node-2", "node-3"];

let stack: TestStack;
let nodes: { name: string; port: number }[];
let ledger: Ledger;
let hookFile: string;
let dashboard: Dashboard;
let browser: Browser;
let page: Page;

const withPrimary = (primary: string, more: StackConfig = {}): StackConfig => ({
  primary,
  nodes,
  hooks: { afterPromotion: `ls Pulumi.yaml && echo "$PG_TOPOLOGY_PRIMARY $PG_TOPOLOGY_PORT" >> '${hookFile}'` },
  ...more,
});
const isStandby = (node: string): Promise<string> =>
  psqlIn(stack.container(node), "SELECT pg_is_in_recovery()").catch(String);
const roles = async (): Promise<Record<string, string>> =>
  Object.fromEntries(await Promise.all(NODES.map(async (name) => [name, await isStandby(name)] as const)));
const containerIds = (): Promise<string[]> => Promise.all(NODES.map((node) => containerId(stack.container(node))));
const outputs = (): Promise<StackOutputs> => stack.outputs<StackOutputs>();

beforeAll(async () => {
  nodes = (await freePorts(NODES.length)).map((port, index) => ({ name: NODES[index] ?? "", port }));
  hookFile = join(await mkdtemp(join(tmpdir(), "pg-topology-hook-")), "primaries");
  stack = await TestStack.create(withPrimary("node-1"));
  await stack.up();
  ledger = await Ledger.start((await outputs()).readWriteUri);
  dashboard = await Dashboard.start(stack);
  browser = await openBrowser();
  page = await browser.newPage();
  await page.goto(dashboard.url);
});
afterAll(async () => {
  await browser.close();
  await dashboard.stop();
  await ledger.stop();
  await stack.dispose();
  await rm(dirname(hookFile), { recursive: true });
});

test("preview says what a switchover does, and does nothing", async () => {
  await psqlIn(stack.container("node-3"), "ALTER SYSTEM SET log_min_duration_statement = '1s'");
  await stack.configure(withPrimary("node-2"));
  const preview = await stack.succeed(["preview"]);
  expect(preview).toContain("switchover: node-1 to node-2, write gap about 0.4 s, no row is lost");
  expect(preview).toMatch(/node-2 is \d+ bytes behind, on timeline 1/);
  expect(preview).toMatch(/node-3: .*log_min_duration_statement/);
  expect(preview).not.toMatch(/docker:index|VolumeFiles/);
  expect(await roles()).toEqual({ "node-1": "f", "node-2": "t", "node-3": "t" });
});

test("another primary in the stack file is a switchover: no row is lost, no container replaced", async () => {
  const ids = await containerIds();
  ledger.lap();
  await stack.up();
  await ledger.untilWritten();

  expect(await ledger.lost()).toEqual([]);
  expect(ledger.lap().longestGapMilliseconds).toBeLessThan(3000);
  expect(await roles()).toEqual({ "node-1": "t", "node-2": "f", "node-3": "t" });
  expect(await containerIds()).toEqual(ids);
  await expectStreaming(stack, "node-2", ["node-1", "node-3"]);
  const after = await outputs();
  expect(after).toMatchObject({ primary: "node-2", timeline: 2 });
  expect(after.lastSwitchover).toMatchObject({ from: "node-1", to: "node-2", lostBytes: 0 });
  expect(await logOf(stack.container("node-1"))).toContain("database system is shut down");
  await stack.expectNoChanges();
});

test("a dashboard that was open meanwhile shows it, without being loaded again", async () => {
  await expect.poll(() => textOf(page), { timeout: 20_000 }).toMatch(/^healthy at /m);
  const text = await textOf(page);
  expect(text).toContain("node-2 takes writes");
  expect(text).toContain("timeline 2: node-2 was promoted");
  expect(await valueIn(page, "document.querySelector('#topology svg').ariaLabel")).toMatch(
    /^node-1, standby · streaming, timeline 2 .*from node-2; node-2, primary · running, timeline 2; node-3, .*from node-2$/,
  );
  await page.setViewport({ width: 1200, height: 900 });
  await keepScreenshot(page, "dashboard");
  await page.setViewport({ width: 390, height: 844, deviceScaleFactor: 2 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
  await keepScreenshot(page, "dashboard-phone-dark");
});

test("back is the same line reversed", async () => {
  await stack.configure(withPrimary("node-1"));
  await stack.up();
  expect(await ledger.lost()).toEqual([]);
  expect(await roles()).toEqual({ "node-1": "f", "node-2": "t", "node-3": "t" });
  await expectStreaming(stack, "node-1", ["node-2", "node-3"]);
  await stack.expectNoChanges();
});

test("the status tells of both switchovers, by what the nodes have of them", async () => {
  const { condition, problems, timelines, divergences } = await statusOf(stack);
  expect({ condition, problems, divergences }).toEqual({ condition: "healthy", problems: [], divergences: [] });
  expect(timelines).toMatchObject([
    { timeline: 2, parent: 1, reason: "promotion", firstSeenOn: "node-2" },
    { timeline: 3, parent: 2, reason: "promotion", firstSeenOn: "node-1" },
  ]);
});

test("the hook after a promotion has run for each primary, once", async () => {
  const port = (name: string) => nodes.find((node) => node.name === name)?.port;
  const runs = ["node-1", "node-2", "node-1"].map((name) => `${name} ${port(name)}\n`);
  expect(await readFile(hookFile, "utf8")).toBe(runs.join(""));
});

inWorld(() => {
  test("a target that hangs is refused, in preview and in up, and the primary goes on", async () => {
    await docker("pause", stack.container("node-3"));
    await stack.configure(withPrimary("node-3"));
    const preview = await stack.pulumi(["preview"]);
    const up = await stack.failingUp();
    await docker("unpause", stack.container("node-3"));
    expect(preview.exitCode).not.toBe(0);
    expect(preview.output).toContain("node-3 cannot become the primary: its server does not answer");
    expect(up).toContain("Set `primary: node-1` to keep what is there");
    expect(await isStandby("node-1")).toBe("f");
  });

  test("a standby that answers nobody for some seconds while the primary changes is not restarted", async () => {
    const container = stack.container("node-3");
    const before = await inspect(container);
    await stack.configure(withPrimary("node-2"));
    process.kill(before.State.Pid, "SIGSTOP");
    const update = stack.up();
    try {
      await expect.poll(() => isStandby("node-2"), { timeout: 60_000 }).toBe("f");
      // Longer than a question to a server may take.
      await sleep(7000);
    } finally {
      process.kill(before.State.Pid, "SIGCONT");
    }
    await update;
    expect((await inspect(container)).State.StartedAt).toBe(before.State.StartedAt);
    await expectStreaming(stack, "node-2", ["node-1", "node-3"]);
    await stack.configure(withPrimary("node-1"));
    await stack.up();
  });

  test("what an interrupted switchover left behind is found, and a restart keeps the primary", async () => {
    await stack.configure(withPrimary("node-1"));
    const container = stack.container("node-1");
    await docker("exec", "-u", "postgres", container, "sh", "-c", 'touch "$PGDATA/standby.signal"');
    expect(await stack.succeed(["preview"])).toContain("an interrupted switchover left it to start as a standby");
    await stack.up();
    await docker("restart", container);
    await expect.poll(() => isStandby("node-1"), { timeout: 60_000 }).toBe("f");
    await ledger.untilWritten();
  });

  test("a primary that hangs is stopped before its place is taken: nothing that it has is lost", async () => {
    await stack.configure(withPrimary("node-2", { acknowledge: { failover: { lostBytes: 100_000_000 } } }));
    await docker("pause", stack.container("node-1"));
    const output = await stack.up();
    expect(output).toContain("node-1 does not answer, and is stopped so that it writes no more");
    expect(await roles()).toEqual({ "node-1": "t", "node-2": "f", "node-3": "t" });
    expect((await outputs()).lastSwitchover).toMatchObject({ from: "node-1", to: "node-2", lostBytes: 0 });
    await ledger.untilWritten();
    expect(await ledger.lost()).toEqual([]);
    await stack.configure(withPrimary("node-1"));
    await stack.up();
  });
});

/** Its log ends with a file: the next one is not there, and of others nothing was written yet, as it is now and then. */
async function spoilWal(container: string, last: string): Promise<void> {
  const script = `cd /var/lib/postgresql/data/pgdata/pg_wal
    for file in 0*[0-9A-F]; do [[ $file > ${last} ]] && rm "$file"; done
    for number in {224..255}; do truncate -s 16M ${last.slice(0, 16)}$(printf %08X $number); done
    chown postgres: 0*`;
  await docker("run", "--rm", "--volumes-from", container, "--entrypoint", "bash", "postgres:17", "-c", script);
}

describe("the primary is dead", () => {
  test("a failover is refused until the loss is acknowledged", async () => {
    await ledger.stop();
    // What only node-1 has: its standbys are down while it writes on.
    await docker("stop", stack.container("node-2"), stack.container("node-3"));
    await psqlIn(stack.container("node-1"), "CREATE TABLE only_here AS SELECT generate_series(1, 1000) AS n");
    const last = await psqlIn(stack.container("node-1"), "SELECT pg_walfile_name(pg_switch_wal())");
    await docker("kill", stack.container("node-1"));
    await spoilWal(stack.container("node-1"), last);
    await docker("start", stack.container("node-2"), stack.container("node-3"));

    await stack.configure(withPrimary("node-2"));
    const previews = await Promise.all([stack.pulumi(["preview"]), stack.pulumi(["preview"])]);
    for (const { exitCode, output } of previews) {
      expect(exitCode).not.toBe(0);
      expect(output).toMatch(/The log of node-1 ends at [0-9A-F]+\/[0-9A-F]+000000, .*: [1-9]\d+ bytes would be lost/);
      expect(output).toContain("node-1 can be fenced: its engine answers");
    }
    expect(await stack.failingUp()).toContain("acknowledge: { failover: { lostBytes: ");
    expect(await isStandby("node-2")).toBe("t");
  });

  test("acknowledged, the standby takes its place and the old primary is rewound", async () => {
    await stack.configure(withPrimary("node-2", { acknowledge: { failover: { lostBytes: 100_000_000 } } }));
    const output = await stack.up();
    expect(output).toContain("node-1 follows the primary by pg_rewind");
    expect(await roles()).toEqual({ "node-1": "t", "node-2": "f", "node-3": "t" });
    await expectStreaming(stack, "node-2", ["node-1", "node-3"]);
    expect((await outputs()).lastSwitchover).toMatchObject({ from: "node-1", to: "node-2" });
    const gone = "SELECT count(*) FROM pg_class WHERE relname = 'only_here'";
    expect(await psqlIn(stack.container("node-1"), gone)).toBe("0");
    expect(await ledger.lost()).toEqual([]);
  });

  inWorld(() => {
    test("a primary that dies before its first checkpoint on a timeline tells where its log ends all the same", async () => {
      // Its standbys have much to write for a checkpoint, and begin another WAL file than that of the last one.
      const filled = `CREATE TABLE filled WITH (autovacuum_enabled = off)
      AS SELECT n, repeat('x', 500) AS text FROM generate_series(1, 20000) AS n`;
      const node2 = stack.container("node-2");
      for (const sql of ["CHECKPOINT", "SELECT pg_switch_wal()", filled]) await psqlIn(node2, sql);
      await expectStreaming(stack, "node-2", ["node-1", "node-3"]);
      // Whoever has to rewind the dead one makes a checkpoint first.
      const allSent = "SELECT bool_and(flush_lsn = pg_current_wal_lsn()) FROM pg_stat_replication";
      await expect.poll(() => psqlIn(node2, allSent)).toBe("t");
      await docker("kill", node2);
      const accepted = { acknowledge: { failover: { lostBytes: 100_000_000 } } };
      await stack.configure(withPrimary("node-1", accepted));
      await stack.up();
      const behind = `SELECT timeline_id < ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int
      FROM pg_control_checkpoint()`;
      expect(await psqlIn(stack.container("node-1"), behind)).toBe("t");

      await docker("kill", stack.container("node-1"));
      await stack.configure(withPrimary("node-2", accepted));
      const output = await stack.up();
      expect(output).toMatch(/The log of node-1 ends at [0-9A-F]+\/[0-9A-F]+, node-2 has received up to/);
      expect(output).toMatch(/node-1 follows the primary by (streaming|pg_rewind)/);
      expect((await outputs()).lastSwitchover).toMatchObject({ from: "node-1", to: "node-2" });
    });
  });

  test("to take the acknowledgement away afterwards changes nothing", async () => {
    await stack.configure(withPrimary("node-2"));
    await stack.expectNoChanges();
  });
});
