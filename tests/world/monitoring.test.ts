import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { ALERT_CASES } from "../support/alert-cases.ts";
import { docker, shellIn } from "../support/containers.ts";
import { freePorts } from "../support/ports.ts";
import { PROJECT_DIRECTORY, PROJECT_NAME } from "../support/project.ts";
import { Prometheus } from "../support/prometheus.ts";
import { psqlIn, rowsIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";

const WAIT = { timeout: 120_000, interval: 1000 };
const ALERTS = "/etc/pg-topology/alerts.yml";

let stack: TestStack;
let prometheus: Prometheus;
let container: string;

beforeAll(async () => {
  const [first, second, port = 0] = await freePorts(3);
  stack = await TestStack.create({
    primary: "node-1",
    nodes: [
      { name: "node-1", port: first },
      { name: "node-2", port: second },
    ],
    replication: { synchronous: { mode: "priority", count: 1 } },
    monitoring: { enabled: true, port },
    backup: { enabled: true },
    drill: { enabled: true },
  });
  await stack.up();
  prometheus = new Prometheus(port);
  container = `${PROJECT_NAME}-${stack.name}.prometheus`;
});
afterAll(() => stack.dispose());

const exporterOf = (node: string): string => `${stack.container(node)}.exporter`;

describe("what is watched", () => {
  test("every server answers its exporter over TLS, and a second update finds nothing to do", async () => {
    await expect.poll(() => prometheus.values("pg_up", "node"), WAIT).toEqual({ "node-1": "1", "node-2": "1" });
    await expect
      .poll(() => prometheus.values("pg_topology_node_primary", "node"), WAIT)
      .toEqual({ "node-1": "1", "node-2": "0" });
    const ssl =
      "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'postgres_exporter'";
    expect(await psqlIn(stack.container("node-2"), ssl)).toBe("t");
    await stack.expectNoChanges("--refresh");
  });

  test("the backup server says when the newest backup ended, and how its drill did", async () => {
    const ended = async (metric: string): Promise<number> =>
      Number((await prometheus.values(metric, "node"))["barman"]);
    const anHourAgo = Date.now() / 1000 - 3600;
    await expect.poll(() => ended("pg_topology_backup_end_seconds"), WAIT).toBeGreaterThan(anHourAgo);
    await expect.poll(() => ended("pg_topology_drill_end_seconds"), WAIT).toBeGreaterThan(anHourAgo);
    expect(await prometheus.values("pg_topology_drill_failed", "node")).toEqual({ barman: "0" });
    expect(await prometheus.values("pg_topology_backup_restorable", "node")).toEqual({ barman: "1" });
  });

  test("the backup server says how full the disk below its backups is", async () => {
    const [size, free] = (await shellIn(stack.container("barman"), "stat -f -c '%b %a' /var/lib/barman")).split(" ");
    const ratio = await prometheus.values("pg_topology:backup_disk_free_ratio", "node");
    expect(Number(ratio["barman"])).toBeCloseTo(Number(free) / Number(size), 1);
  });

  test("all is well: nothing fires, and every query of the Grafana dashboard has an answer", async () => {
    const dashboard = JSON.parse(await readFile(join(PROJECT_DIRECTORY, "docs", "grafana-dashboard.json"), "utf8")) as {
      panels: { targets: { expr: string }[] }[];
    };
    const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    for (const expression of expressions) {
      await expect
        .poll(async () => (await prometheus.ask(expression)).length, { ...WAIT, message: expression })
        .toBeGreaterThan(0);
    }
    expect(await prometheus.firing()).toEqual([]);
  });

  test("the role of the exporters has pg_monitor and nothing more", async () => {
    const role = `SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls,
      (SELECT array_agg(roleid::regrole::text) FROM pg_auth_members WHERE member = role.oid) AS groups
      FROM pg_roles AS role WHERE rolname = 'postgres_exporter'`;
    expect(await rowsIn(stack.container("node-1"), role)).toEqual([
      {
        rolsuper: false,
        rolcreaterole: false,
        rolcreatedb: false,
        rolreplication: false,
        rolbypassrls: false,
        groups: ["pg_monitor"],
      },
    ]);
  });

  test("its password is in a file that only the exporter's user may read, and nowhere else", async () => {
    const password = await shellIn(exporterOf("node-1"), "cat /etc/pg-topology/password");
    expect(password.length).toBeGreaterThan(20);
    expect(await shellIn(exporterOf("node-1"), "stat -c '%a %U' /etc/pg-topology/password")).toBe("600 postgres");
    expect(await docker("inspect", exporterOf("node-1"), container)).not.toContain(password);
    expect(await shellIn(exporterOf("node-1"), "cat /proc/*/cmdline | tr '\\0' ' '")).not.toContain(password);
  });

  test("Prometheus is published to this host alone", async () => {
    expect(await docker("port", container)).toMatch(/^9090\/tcp -> 127\.0\.0\.1:\d+$/);
  });
});

describe("the alerts", () => {
  test("promtool has nothing against configuration and rules", async () => {
    await shellIn(container, "promtool check config /etc/pg-topology/prometheus.yml");
  });

  test("each fires where it should, alone, and nowhere else", async () => {
    const { groups } = parse(await shellIn(container, `cat ${ALERTS}`)) as {
      groups: { rules: { alert?: string }[] }[];
    };
    const alerts = groups.flatMap(({ rules }) => rules.flatMap(({ alert }) => alert ?? []));
    expect(new Set(ALERT_CASES.flatMap(({ firing }) => firing))).toEqual(new Set(alerts));
    const tests = ALERT_CASES.map(({ title, series, firing }) => ({
      name: title,
      interval: "5s",
      input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
      promql_expr_test: [
        {
          expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
          eval_time: "9m",
          exp_samples: firing.map((alertname) => ({ labels: `{alertname="${alertname}"}`, value: 1 })),
        },
      ],
    }));
    const file = stringify({ rule_files: [ALERTS], evaluation_interval: "5s", tests });
    const command = "cat >/tmp/alerts.test.yml && promtool test rules /tmp/alerts.test.yml";
    const { exitCode, all } = await execa("docker", ["exec", "-i", container, "sh", "-c", command], {
      input: file,
      all: true,
      reject: false,
    });
    expect({ exitCode, all }).toEqual({ exitCode: 0, all: expect.stringContaining("SUCCESS") as string });
  });

  test("a standby that is stopped: it is down, and commits wait for it; back again, nothing fires", async () => {
    await docker("stop", stack.container("node-2"));
    const writing = psqlIn(stack.container("node-1"), "CREATE TABLE waits ()");
    await expect.poll(() => prometheus.firing(), WAIT).toEqual(["CommitsWaiting", "NodeDown"]);
    await docker("start", stack.container("node-2"));
    await writing;
    await expect.poll(() => prometheus.firing(), WAIT).toEqual([]);
  });
});

test("destroy leaves nothing", async () => {
  await stack.succeed(["destroy", "--yes", "--skip-preview"]);
  const label = ["--quiet", "--filter", `label=pg-topology.stack=${stack.name}`];
  expect(await docker("ps", "--all", ...label)).toBe("");
  expect(await docker("volume", "ls", ...label)).toBe("");
});
