import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { update } from "../support/changes.ts";
import { runCommand } from "../support/commands.ts";
import { TestHosts } from "../support/hosts.ts";
import { Ledger } from "../support/ledger.ts";
import { mostAdvanced } from "../support/most-advanced.ts";
import { ownerLogin } from "../support/outputs.ts";
import type { StackOutputs } from "../support/outputs.ts";
import { freePorts } from "../support/ports.ts";
import { PROJECT_NAME } from "../support/project.ts";
import { recover } from "../support/recover.ts";
import { rowsOf } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";
import { statusOf } from "../support/status.ts";

const NODES = { "node-1": "db1", "node-2": "db2", "node-3": "db3" } as const;
type NodeName = keyof typeof NODES;
const names = Object.keys(NODES) as NodeName[];

let hosts: TestHosts;
let stack: TestStack;
let port: number;

beforeAll(async () => {
  [port = 0] = await freePorts(1);
  hosts = await TestHosts.create(Object.values(NODES), "db3");
  stack = await TestStack.create(config(withDrill));
});
afterAll(async () => {
  await stack.dispose();
  await hosts.dispose();
});

const config = (rest: StackConfig = {}): StackConfig => ({
  primary: "node-1",
  ...hosts.placing(NODES, port),
  backup: { enabled: true, host: "db3" },
  ...rest,
});
const withDrill = { drill: { enabled: true, assertions: ["SELECT current_database() = 'app'"] } };

const psql = (node: NodeName, sql: string): Promise<string> => hosts.psql(NODES[node], stack.container(node), sql);

test("a host whose ssh refuses the user is told in one message, before anything is made", async () => {
  const { db3 } = hosts.entries;
  const docker = `ssh://stranger@${db3?.address}`;
  await stack.configure(config({ hosts: { ...hosts.entries, db3: { ...db3, docker } }, ...withDrill }));
  const { exitCode, output } = await stack.pulumi(["preview"]);
  await stack.configure(config(withDrill));
  expect(exitCode).not.toBe(0);
  const told = output.split("\n").flatMap((line) => /has a problem: .*Permission denied/.exec(line) ?? []);
  expect([...new Set(told)]).toEqual([expect.stringContaining(`expected a Docker engine of db3, at ${docker}`)]);
  expect(output.match(/Permission denied/g)).toHaveLength(told.length);
});

test("three nodes on three hosts, one of them behind ssh, come up, stream over TLS, and clients find them at the addresses of the hosts", async () => {
  expect(await stack.up()).toContain("the backup server is on db3");
  const outputs = await stack.outputs<StackOutputs>();
  expect(outputs.replication.map(({ node, state }) => [node, state])).toEqual([
    ["node-2", "streaming"],
    ["node-3", "streaming"],
  ]);
  expect(outputs.nodes.map(({ host }) => host)).toEqual(names.map((name) => hosts.entries[NODES[name]]?.address));
  const senders =
    "SELECT string_agg(application_name || ssl, ',' ORDER BY application_name) FROM pg_stat_replication JOIN pg_stat_ssl USING (pid)";
  expect(await psql("node-1", senders)).toBe("barman_receive_waltrue,node-2true,node-3true");
  await rowsOf(ownerLogin(outputs, "node-1"), "CREATE TABLE t AS SELECT 1 AS n");
  const rows = () => rowsOf(ownerLogin(outputs, "node-3"), "SELECT n FROM t").catch(() => []);
  await expect.poll(rows, { timeout: 30_000 }).toEqual([{ n: 1 }]);
});

test("a second update changes nothing", async () => {
  expect((await update(stack)).changes).toEqual([]);
  await stack.expectNoChanges();
});

test("a backup server on the third host has a backup, which a drill there has restored", async () => {
  expect((await stack.outputs<{ lastDrill: unknown }>()).lastDrill).toMatchObject({
    checks: ["check-backup", "verify-backup", "heartbeats", "pg_amcheck", "SELECT current_database() = 'app'"],
  });
  expect(await hosts.docker("db3", ["ps", "--format", "{{.Names}}"])).toContain(stack.container("barman"));
  // Barman may take longer to answer than a status waits.
  const restorable = async () => (await statusOf(stack)).backup?.restorable;
  await expect.poll(restorable, { timeout: 60_000 }).toBe(1);
  const from = "SELECT host(client_addr) FROM pg_stat_replication WHERE application_name = 'barman_receive_wal'";
  expect(await psql("node-1", from)).toBe(hosts.entries[NODES["node-3"]]?.address);
});

test("a Prometheus beside the backup server hears of all three, and exporters listen at the address of their host alone", async () => {
  await stack.configure(config({ ...withDrill, monitoring: { enabled: true } }));
  await stack.up();
  const prometheus = `${PROJECT_NAME}-${stack.name}.prometheus`;
  const values = async (query: string): Promise<string[]> => {
    const command = ["promtool", "query", "instant", "http://localhost:9090", query];
    const answer = await hosts.docker("db3", ["exec", prometheus, ...command]);
    return [...answer.matchAll(/node="([^"]+)".* => (\S+) @/g)].map(([, node, value]) => `${node} ${value}`).sort();
  };
  const wait = { timeout: 120_000, interval: 1000 };
  await expect.poll(() => values("pg_topology_node_primary"), wait).toEqual(["node-1 1", "node-2 0", "node-3 0"]);
  await expect
    .poll(() => values("up{job!='postgres'}"), wait)
    .toEqual(["barman 1", ...names.map((name) => `${name} 1`)]);
  const ports = (node: NodeName) =>
    hosts.docker(NODES[node], ["ps", "--filter", `name=${stack.container(node)}.exporter`, "--format", "{{.Ports}}"]);
  expect(await ports("node-2")).toContain(`${hosts.entries[NODES["node-2"]]?.address}:9187->9187/tcp`);
  expect(await ports("node-2")).not.toContain("0.0.0.0");
  expect(await ports("node-3")).not.toContain("->");
});

test("the primary changes to another host without a lost row", async () => {
  await stack.configure(config({ primary: "node-2", ...withDrill }));
  await stack.up();
  const outputs = await stack.outputs<StackOutputs>();
  expect(outputs.lastSwitchover).toMatchObject({ from: "node-1", to: "node-2", lostBytes: 0 });
  expect(await rowsOf(ownerLogin(outputs, "node-2"), "SELECT n FROM t")).toEqual([{ n: 1 }]);
});

test("a backup is taken from the new primary, and a database restored into it over the network", async () => {
  expect(await runCommand(stack, "backup", "now")).toMatchObject({ exitCode: 0 });
  const restored = await runCommand(stack, "restore", "--latest", "--database", "app", "--into", "restored");
  expect(restored).toMatchObject({ exitCode: 0 });
  expect(restored.output).toContain("app is back as restored");
  expect(await psql("node-2", "\\c restored\nSELECT n FROM t")).toBe("1");
});

describe("the host of the primary cannot be reached", () => {
  const unfenced = { failover: { lostBytes: "unknown", unfenced: ["node-2"] } };

  beforeAll(() => hosts.cut("db2"));

  test("a status names the node, and what is not known", async () => {
    const status = await statusOf(stack);
    expect(status.condition).toBe("down");
    expect(status.nodes.map(({ name, state }) => [name, state])).toContainEqual(["node-2", "unreachable"]);
    expect(status.problems.map(({ kind }) => kind)).toContain("engine-unreachable");
  });

  test("a preview goes on, and says so", async () => {
    const output = await stack.succeed(["preview"]);
    expect(output).toContain("expected a Docker engine of db2");
    expect(output).toMatch(/node-2: it does not answer, and neither does the engine of its host/);
  });

  test("another primary is refused until it is acknowledged that the old one is not fenced, and so are backups that move", async () => {
    await stack.configure(config({ primary: "node-3", backup: { enabled: true } }));
    const output = await stack.failingUp();
    expect(output).toContain("Write `backup: { host: db3 }`");
    expect(output).toContain("whether its host is dead or only cut off is not known");
    expect(output).toContain("`acknowledge: { failover: { lostBytes: unknown, unfenced: [node-2] } }`");
    expect(await psql("node-3", "SELECT pg_is_in_recovery()")).toBe("t");
  });

  test("acknowledged, another primary takes writes; the old one stops when it learns of it", async () => {
    await stack.configure(config({ primary: "node-3", acknowledge: unfenced }));
    await stack.up();
    expect(await psql("node-3", "CREATE TABLE near AS SELECT 1 AS n; SELECT pg_is_in_recovery()")).toBe("f");
    expect(await psql("node-2", "CREATE TABLE far (n int); SELECT pg_is_in_recovery()")).toBe("f");
    const writing = hosts.writeUntilRefused("db2", stack.container("node-2"), "far");
    await hosts.heal("db2");
    const healedAt = Date.now();
    const acknowledged = await writing;
    expect(acknowledged.length).toBeGreaterThan(0);
    // It asks its peers every second, and each of them may take two to answer.
    expect(Math.max(...acknowledged) - healedAt).toBeLessThan(30_000);
    expect(await psql("node-2", "SELECT 1").catch(() => "stopped")).toBe("stopped");
  });

  test("what it wrote on its own is given up only when that is said, and it follows again", async () => {
    await stack.configure(config({ primary: "node-3" }));
    expect(await stack.failingUp()).toContain("`acknowledge: { rejoin: [node-2] }`");
    await stack.configure(config({ primary: "node-3", acknowledge: { rejoin: ["node-2"] } }));
    await stack.up();
    await expect
      .poll(() => psql("node-2", "SELECT to_regclass('near') IS NOT NULL, to_regclass('far') IS NULL").catch(() => ""))
      .toBe("t|t");
  });
});

const QUORUM = { replication: { synchronous: { mode: "quorum", count: 1 } } };
const PARTITIONS = Number(process.env["PG_TOPOLOGY_PARTITIONS"] ?? 1);
const WAYS = ["cut", "mute", "deafen"] as const;
const randomWay = (): (typeof WAYS)[number] => WAYS[randomInt(WAYS.length)] ?? "cut";

describe("over a distance", () => {
  test("a switchover to a host behind a slow and lossy link loses nothing", async () => {
    const { readWriteUri } = await stack.outputs<StackOutputs>();
    const ledger = await Ledger.start(readWriteUri);
    // Each way: 200 ms from a question to its answer.
    await hosts.stretch("db2", { milliseconds: 100, lostPercent: 2 });
    await stack.configure(config({ primary: "node-2", ...QUORUM }));
    await stack.up();
    await hosts.heal("db2");
    await ledger.untilWritten();
    await ledger.stop();
    expect(await stack.outputs()).toMatchObject({ lastSwitchover: { from: "node-3", to: "node-2", lostBytes: 0 } });
    expect(await ledger.lost()).toEqual([]);
  });

  test("a primary that only this machine cannot reach is not replaced while a standby elsewhere confirms its commits", async () => {
    // Of the two standbys the one here hears nothing any more, and the other one has what is written from now on.
    await hosts.hide("db2");
    const unfenced = { failover: { lostBytes: "unknown", unfenced: ["node-2"] } };
    await stack.configure(config({ primary: "node-3", ...QUORUM, acknowledge: unfenced }));
    const output = await stack.failingUp();
    await hosts.heal("db2");
    expect(output).toContain("its server lives: node-3 follow it");
    expect(await psql("node-3", "SELECT pg_is_in_recovery()")).toBe("t");
    await stack.configure(config({ primary: "node-2", ...QUORUM }));
    await stack.up();
  });

  let primary: NodeName = "node-2";

  test.each(Array.from({ length: PARTITIONS }, (_, index) => ({ way: randomWay(), table: `partition_${index + 1}` })))(
    "$table, $way: no row that a primary behind it has acknowledged to a quorum is lost, and only one acknowledges any",
    async ({ way, table }) => {
      primary = await partition(table, primary, way);
      if (primary !== "node-1") return;
      primary = "node-2";
      await stack.configure(config({ primary, ...QUORUM }));
      await stack.up();
    },
  );
});

/** The primary is cut off while it is written to, and another node takes its place. @returns the other node. */
async function partition(table: string, old: NodeName, way: (typeof WAYS)[number]): Promise<NodeName> {
  const label = `${table}, ${old}, ${way}`;
  await psql(old, `CREATE TABLE ${table} (n int)`);
  const writing = hosts.writeUntilRefused(NODES[old], stack.container(old), table);
  await expect.poll(() => psql(old, `SELECT count(*) > 3 FROM ${table}`), { timeout: 30_000 }).toBe("t");
  await sleep(randomInt(2000));
  await hosts[way](NODES[old]);
  // One of the two has every row that was acknowledged, and a target that has less is refused.
  const primary = await mostAdvanced(
    names.filter((name) => name !== old),
    psql,
  );
  const unfenced = { failover: { lostBytes: "unknown", unfenced: [old] } };
  await stack.configure(config({ primary, ...QUORUM, acknowledge: unfenced }));
  // What it needs the host for fails: of db3 that is the backup server.
  await stack.pulumi(["up", "--yes", "--skip-preview"]);
  const writableAt = Date.now();
  expect(await psql(primary, "SELECT pg_is_in_recovery()"), label).toBe("f");
  await hosts.heal(NODES[old]);
  const acknowledged = await writing;
  // Rows behind those that were acknowledged may have arrived too: nobody was told that they had not.
  const there = await psql(primary, `SELECT count(*) FROM ${table} WHERE n <= ${acknowledged.length}`);
  expect(there, label).toBe(String(acknowledged.length));
  expect(
    acknowledged.filter((at) => at > writableAt),
    label,
  ).toEqual([]);
  expect(await psql(old, "SELECT 1").catch(() => "stopped"), label).toBe("stopped");
  await stack.configure(config({ primary, ...QUORUM, acknowledge: { rejoin: [old] } }));
  await stack.up();
  expect(await psql(primary, `SELECT count(*) FROM pg_stat_replication WHERE application_name = '${old}'`)).toBe("1");
  return primary;
}

describe("a host is gone for good", () => {
  const container = (): string => stack.container("node-2");
  const without = (rest: StackConfig = {}): StackConfig => {
    const { nodes, hosts: entries, ...others } = config(rest) as { nodes: { name: string }[]; hosts: object };
    const left = Object.entries(entries).filter(([name]) => name !== "db2");
    return { ...others, nodes: nodes.filter(({ name }) => name !== "node-2"), hosts: Object.fromEntries(left) };
  };
  const slots = () => psql("node-1", "SELECT string_agg(slot_name, ',' ORDER BY slot_name) FROM pg_replication_slots");

  beforeAll(async () => {
    // Nobody waits for standbys any more, as the tests before did.
    await stack.configure(config({ acknowledge: { synchronous: true } }));
    await stack.up();
    await hosts.cut("db2");
  });

  test("a preview says what will stay there, and an update does all else", async () => {
    await stack.configure(without());
    const { output } = await stack.pulumi(["preview"]);
    expect(output).toContain("what it holds could not be looked at (the engine of db2 does not answer)");
    await stack.configure(without({ acknowledge: { volumes: [`${container()}-data`] } }));
    const preview = await stack.succeed(["preview"]);
    expect(preview).toContain(`The container ${container()}, its volumes and its network stay on db2`);
    expect(await stack.failingUp()).toMatch(/deleting urn:.*node-2-container/);
    expect(await slots()).toBe("barman,node_3");
  });

  test("once the state has forgotten the host, there is nothing to do", async () => {
    const { exitCode, output } = await recover(stack, "--forget-host", "db2");
    expect(exitCode, output).toBe(0);
    expect(output).toContain("forgot the host db2");
    expect(output).toContain(`forgot its container ${container()}, which stays there`);
    await stack.configure(without());
    await stack.up();
    await stack.expectNoChanges();
  });

  test("comes back all the same: what was left there is named, and the node gets its data back", async () => {
    await hosts.heal("db2");
    expect((await recover(stack, "--forget-host", "db1")).output).toContain("db1 answers");
    await stack.configure(config());
    const { exitCode, output } = await stack.pulumi(["preview"]);
    expect(exitCode).not.toBe(0);
    const steps = /remove it there: `(docker stop .*?)`/.exec(output)?.[1]?.split("; ") ?? [];
    expect(steps).toHaveLength(3);
    for (const step of steps) await hosts.docker("db2", step.split(" ").slice(1));
    await stack.up();
    expect(await psql("node-1", "SELECT count(*) FROM pg_stat_replication WHERE application_name = 'node-2'")).toBe(
      "1",
    );
  });
});

describe("the stack is destroyed", () => {
  const destroy = () => runCommand(stack, "destroy", "--config-file", stack.configFile, "--yes", "--skip-preview");

  async function leftOn(host: string): Promise<string> {
    const filter = ["--quiet", "--filter", `label=pg-topology.stack=${stack.name}`];
    const kinds = [
      ["ps", "--all"],
      ["volume", "ls"],
      ["network", "ls"],
    ] as const;
    return (await Promise.all(kinds.map((list) => hosts.docker(host, [...list, ...filter])))).join("");
  }

  test("while a host is gone: nothing is left on the others, and what is left there is listed", async () => {
    await hosts.cut("db2");
    const { exitCode, output } = await destroy();
    expect(exitCode).not.toBe(0);
    expect(output).toMatch(/^Left on db2:\n {2}\w+ /m);
    expect(output).toContain(`  container ${stack.container("node-2")}\n`);
    expect(output).toContain("If it is gone for good: ");
    expect([await leftOn("db1"), await leftOn("db3")]).toEqual(["", ""]);
    await hosts.heal("db2");
  });

  test("once it is back: nothing is left there either", async () => {
    expect(await destroy()).toMatchObject({ exitCode: 0 });
    expect(await leftOn("db2")).toBe("");
  });
});
