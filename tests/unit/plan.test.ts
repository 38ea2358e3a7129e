import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hbaRules } from "../../plan/access-rules.ts";
import { baseBackupScript, initdbJob, rejoinScript } from "../../plan/jobs.ts";
import { makePlan } from "../../plan/make-plan.ts";
import { effectiveParameters, parameterLayers } from "../../plan/parameters.ts";
import { factsFile } from "../../plan/monitoring.ts";
import type { Plan } from "../../plan/plan.ts";
import { EVERYTHING, anySettings, fileOf, nodeOf, planOf, settingsIn } from "./plan-support.ts";
import { DEPLOYMENT, settingsOf } from "./settings-support.ts";
import type { Keys } from "./settings-support.ts";

describe("the files of a node, byte for byte", () => {
  const plan = planOf(EVERYTHING);

  test.each(
    [...plan.primary.files, ...plan.primary.serverFiles].map(
      ({ path, content }) => [path.slice("/etc/pg-topology/".length), content] as const,
    ),
  )("%s", async (name, content) => {
    await expect(content).toMatchFileSnapshot(`golden/node-1/${name}`);
  });

  test.each(["node-2", "node-3"])("replication.conf of %s", async (name) => {
    const conf = fileOf(nodeOf(plan, name), "replication.conf");
    await expect(conf).toMatchFileSnapshot(`golden/${name}/replication.conf`);
  });

  test.each(["postgresql.conf", "pg_hba.conf"])("%s is the same on every node", (name) => {
    for (const node of plan.standbys) expect(fileOf(node, name)).toBe(fileOf(plan.primary, name));
  });

  test("the jobs' scripts", async () => {
    const script = baseBackupScript(plan, nodeOf(plan, "node-2"), "7710573247014883365");
    await expect(initdbJob(plan).script).toMatchFileSnapshot("golden/jobs/initdb.sh");
    await expect(script).toMatchFileSnapshot("golden/jobs/base-backup.sh");
    const { bootstrap } = planOf({ ...EVERYTHING, bootstrap: { from: { stack: "production" } } });
    await expect(bootstrap?.script).toMatchFileSnapshot("golden/jobs/bootstrap.sh");
    await expect(bootstrap?.catalogueScript).toMatchFileSnapshot("golden/jobs/barman-catalogue.sh");
  });
});

describe("the backup server", () => {
  const EARLY = { ...EVERYTHING, backup: { enabled: true, schedule: "30 3 * * 1-5", compression: "gzip" } };

  test("is not there unless it is enabled", () => {
    expect(planOf(EVERYTHING)).toMatchObject({ backup: null, otherSlots: [] });
  });

  test("its files, byte for byte", async () => {
    for (const { path, content } of planOf(EARLY).backup?.files ?? []) {
      await expect(content).toMatchFileSnapshot(`golden/barman/${path.slice("/etc/pg-topology/".length)}`);
    }
  });

  test("its image has another name for another base", () => {
    expect(planOf(EARLY).backup?.image).not.toBe(planOf({ ...EARLY, image: "postgres:16" }).backup?.image);
  });

  test("its two roles come in from the topology's network over TLS, and from nowhere else", () => {
    const own = hbaRules(settingsOf(EARLY)).topology.filter(({ user }) => user.includes("barman"));
    expect(own.map(({ type, database, user, address, method }) => [type, database, user, address, method])).toEqual([
      ["hostssl", "postgres", "barman", "samenet", "scram-sha-256"],
      ["host", "all", "barman", "all", "reject"],
      ["hostssl", "replication", "streaming_barman", "samenet", "scram-sha-256"],
      ["host", "all", "streaming_barman", "all", "reject"],
    ]);
  });

  test("a small topology has room for its connections without a restart", () => {
    const senders = (keys: typeof EVERYTHING): string | undefined => planOf(keys).primary.parameters["max_wal_senders"];
    expect(senders(EARLY)).toBe(senders(EVERYTHING));
  });

  test("on PostgreSQL 14 its role may run what that version has", () => {
    const role = planOf({ ...EARLY, image: "postgres:14" }).backup?.roles.backup;
    expect(role?.executes).toContain("pg_start_backup(text, boolean, boolean)");
    expect(role?.memberOf).not.toContain("pg_checkpoint");
  });
});

test("pg_rewind is told of the configuration file where it can be: since PostgreSQL 15", () => {
  const rewind = (image: string): string => {
    const plan = planOf({ ...EVERYTHING, image });
    return rejoinScript(plan, plan.primary);
  };
  expect(rewind("postgres:15")).toMatch(/pg_rewind .* --config-file '?\/etc\/pg-topology\/postgresql.conf'?$/m);
  expect(rewind("postgres:14")).toMatch(/pg_rewind .* --source-server \S.*$/m);
  expect(rewind("postgres:14")).not.toContain("--config-file");
});

describe("monitoring", () => {
  const WATCHED = { ...EVERYTHING, backup: { enabled: true }, monitoring: { enabled: true } };

  test("is not there unless it is enabled", () => {
    expect(planOf(EVERYTHING).monitoring).toBeNull();
  });

  test("its files, byte for byte", async () => {
    const { monitoring } = planOf(WATCHED);
    if (monitoring === null) throw new Error("there is no monitoring");
    const ends = [{ node: "node-1", endsAtSeconds: 1_800_000_000 }];
    const facts = { path: "/etc/pg-topology/facts.yml", content: factsFile(monitoring, ends) };
    for (const { path, content } of [...monitoring.exporterFiles, ...monitoring.prometheus.files, facts]) {
      await expect(content).toMatchFileSnapshot(`golden/monitoring/${path.slice("/etc/pg-topology/".length)}`);
    }
  });

  test("its role sees statistics, and nothing more", () => {
    expect(planOf(WATCHED).monitoring?.role).toMatchObject({
      replication: false,
      memberOf: ["pg_monitor"],
      executes: [],
      reads: [],
    });
    const own = hbaRules(settingsOf(WATCHED)).topology.filter(({ user }) => user === "postgres_exporter");
    expect(own.map(({ type, database, address, method }) => [type, database, address, method])).toEqual([
      ["hostssl", "postgres", "samenet", "scram-sha-256"],
      ["host", "all", "all", "reject"],
    ]);
  });

  test("no password is part of what a container is made of", () => {
    const { exporters = [] } = planOf(WATCHED).monitoring ?? {};
    expect(exporters.map(({ container }) => container)).toContain("pg-topology-dev-node-1.exporter");
    for (const { environment } of exporters) {
      expect(environment.join(" ")).toMatch(/sslmode=verify-full&sslrootcert=/);
      expect(environment.filter((line) => /PASS/.test(line))).toEqual([
        "DATA_SOURCE_PASS_FILE=/etc/pg-topology/password",
      ]);
    }
  });
});

describe("postgresql.conf", () => {
  const plan = planOf(EVERYTHING);
  const conf = fileOf(plan.primary, "postgresql.conf");

  test("a parameter of the stack file takes the place of the default", () => {
    expect(settingsIn(conf).get("shared_buffers")).toBe("256MB");
    expect(conf.match(/^shared_buffers = /gm)).toHaveLength(1);
  });

  test("quotes and backslashes reach the server as they were written", () => {
    expect(conf).toContain(String.raw`log_line_prefix = '%m ''quoted'' back\\slash '`);
    expect(settingsIn(conf).get("log_line_prefix")).toBe(String.raw`%m 'quoted' back\slash `);
  });

  test("what slots may keep is bounded by the guard, unless the stack file says it", () => {
    const bounds = (text: string): string[] => text.match(/^(max_slot_wal_keep_size|include_if_exists) = .*$/gm) ?? [];
    const byGuard = [
      "max_slot_wal_keep_size = '4096MB'",
      "include_if_exists = '/var/lib/postgresql/data/slot-bound.conf'",
    ];
    expect(bounds(conf)).toEqual(byGuard);
    const own = planOf({ ...EVERYTHING, parameters: { max_slot_wal_keep_size: "9GB" } });
    expect(bounds(fileOf(own.primary, "postgresql.conf"))).toEqual([...byGuard, "max_slot_wal_keep_size = '9GB'"]);
  });

  test("each section is sorted by name", () => {
    for (const section of conf.split(/^# --- /m).slice(1)) {
      const names = [...settingsIn(section).keys()].filter((name) => !name.startsWith("include"));
      expect(names).toEqual(names.toSorted());
    }
  });

  test("the user's layer cannot win over what the topology owns", () => {
    const layers = parameterLayers(settingsOf(EVERYTHING));
    const stolen = {
      ...layers,
      user: [{ name: "ssl", value: "off", reason: "a stack file that got past the checks" }],
    };
    expect(effectiveParameters(stolen).find(({ name }) => name === "ssl")?.value).toBe("on");
  });

  test("the WAL archive is set up where it is enabled, and nowhere else", () => {
    const without = planOf({ ...EVERYTHING, archiving: { enabled: false } });
    expect(settingsIn(conf).get("archive_command")).toBe("/etc/pg-topology/archive-wal %p %f");
    expect(fileOf(without.primary, "postgresql.conf")).not.toContain("archive_");
    expect(without.primary.files.map(({ path }) => path)).not.toContain("/etc/pg-topology/archive-wal");
    expect(without.archiveVolume).toBeNull();
  });
});

describe("replication.conf", () => {
  const plan = planOf(EVERYTHING);
  const settings = (node: string): Map<string, string> => settingsIn(fileOf(nodeOf(plan, node), "replication.conf"));

  test("a standby without an upstream looks for whichever other node is the primary", () => {
    const conninfo = settings("node-2").get("primary_conninfo");
    expect(conninfo).toContain("host=node-1,node-3 ");
    expect(conninfo).toContain("target_session_attrs=primary");
  });

  test("a cascading standby asks its upstream alone, whatever its role", () => {
    const conninfo = settings("node-3").get("primary_conninfo");
    expect(conninfo).toContain("host=node-2 ");
    expect(conninfo).not.toContain("target_session_attrs");
  });

  test("every connection verifies the server's name and ends when the other side is gone", () => {
    for (const node of plan.nodes) {
      const conninfo = settings(node.name).get("primary_conninfo");
      expect(conninfo).toContain("sslmode=verify-full sslrootcert=/etc/pg-topology/tls/ca.crt");
      expect(conninfo).toContain("tcp_user_timeout=2000");
    }
  });

  test("what the stack file sets for the sessions of users does not end it, and a standby can keep all of it", () => {
    for (const node of plan.nodes) {
      const conninfo = settings(node.name).get("primary_conninfo");
      expect(conninfo).toContain(" options=-cidle_session_timeout=0 ");
      expect(conninfo?.length).toBeLessThan(1024);
    }
  });

  test("no password stands in it: that is in the passfile", () => {
    for (const node of plan.nodes) {
      expect(settings(node.name).get("primary_conninfo")).toContain("passfile=/etc/pg-topology/passfile");
      expect(JSON.stringify(node)).not.toMatch(/password=/);
    }
  });

  test("a delayed or cascading standby confirms no commit", () => {
    expect(settings("node-1").get("synchronous_standby_names")).toBe('ANY 1 ("node-2")');
  });

  test("with includeBackup a commit waits for the backup server, and for as many standbys as without", () => {
    const synchronous = { mode: "priority", count: 1, includeBackup: true };
    const keys = { ...EVERYTHING, backup: { enabled: true }, replication: { synchronous } };
    const [node] = planOf(keys).nodes;
    expect(node?.parameters["synchronous_standby_names"]).toBe('FIRST 2 ("barman_receive_wal", "node-2")');
    expect(planOf(keys)).toMatchObject({ synchronousStandbys: 2, guarantee: { count: 1, candidates: ["node-2"] } });
  });

  test("Barman's questions do not go by what the stack file sets for the sessions of users", () => {
    const backupOf = (image: string) => planOf({ ...EVERYTHING, image, backup: { enabled: true } }).backup;
    expect(backupOf("postgres:17")?.roles.backup.settings).toMatchObject({
      statement_timeout: "0",
      transaction_timeout: "0",
    });
    expect(backupOf("postgres:16")?.roles.backup.settings).not.toHaveProperty("transaction_timeout");
    // Barman splits it at its spaces, also within quotes.
    const conf = backupOf("postgres:17")?.files.find(({ path }) => path.endsWith("barman.conf"))?.content ?? "";
    const [, conninfo = ""] = /^conninfo = (.*)$/m.exec(conf) ?? [];
    expect(conninfo.split(" ").every((word) => /^[a-z_]+=[^']+$/.test(word))).toBe(true);
  });

  test("base backups are taken from a standby without delay, where there is one, and the WAL from the primary", () => {
    const keys = { ...EVERYTHING, backup: { enabled: true, from: "standby" } };
    const conf = planOf(keys).backup?.files.find(({ path }) => path.endsWith("barman.conf"))?.content ?? "";
    const line = (key: string): string => new RegExp(`^${key} = (.*)$`, "m").exec(conf)?.[1] ?? "";
    for (const key of ["conninfo", "streaming_conninfo"]) {
      expect(line(key)).toMatch(/^host=node-1,node-2 .*target_session_attrs=prefer-standby$/);
      expect(line(`wal_${key}`)).toMatch(/^host=node-1,node-2,node-3 .*target_session_attrs=primary$/);
    }
  });

  test("every node knows who would confirm its commits were it the primary", () => {
    expect(settings("node-2").get("synchronous_standby_names")).toBe('ANY 1 ("node-1")');
    expect(settings("node-3").get("synchronous_standby_names")).toBe('ANY 1 ("node-1", "node-2")');
  });

  test("with fixed addresses no name is looked up, and names are still what certificates are checked for", () => {
    const nodes = [
      { name: "node-1", address: "172.18.0.11" },
      { name: "node-2", address: "172.18.0.12" },
    ];
    const fixed = planOf({ primary: "node-1", nodes, network: { subnet: "172.18.0.0/24" } });
    expect(fileOf(nodeOf(fixed, "node-2"), "replication.conf")).toContain("host=node-1 hostaddr=172.18.0.11 ");
  });
});

describe("pg_hba.conf", () => {
  const rules = hbaRules(settingsOf(EVERYTHING));
  const all = [...rules.fixed, ...rules.topology, ...rules.user];

  test("over the network only TLS and scram-sha-256 let anybody in", () => {
    const letIn = all.filter((rule) => rule.method !== "reject" && rule.type !== "local");
    expect(letIn.map((rule) => [rule.type, rule.method])).toEqual(letIn.map(() => ["hostssl", "scram-sha-256"]));
    expect(letIn.length).toBeGreaterThan(0);
  });

  test("the superuser comes in by the socket alone, before any other rule is read", () => {
    expect(all.slice(0, 2)).toEqual([
      { type: "local", database: "all", user: "postgres", address: "", method: "peer" },
      { type: "host", database: "all", user: "postgres", address: "all", method: "reject" },
    ]);
  });

  test("the replication user and the operator come from the topology's own network alone", () => {
    for (const user of ["repuser", "pgtopology"]) {
      const own = all.filter((rule) => rule.user === user);
      const allowed = own.slice(0, -1);
      expect(allowed.length).toBeGreaterThan(0);
      expect(allowed.every(({ address, method }) => address === "samenet" && method === "scram-sha-256")).toBe(true);
      expect(own.at(-1)).toMatchObject({ address: "all", method: "reject" });
    }
  });

  test("an access rule that names everybody opens no way in for those two", () => {
    const rule = { database: "all", user: "all", address: "0.0.0.0/0" };
    const conf = fileOf(planOf({ ...EVERYTHING, accessRules: [rule] }).primary, "pg_hba.conf");
    const position = (text: string): number => conf.search(new RegExp(text, "m"));
    expect(position('^host +all +"postgres" +all +reject')).toBeLessThan(position('^hostssl +all +all +"0.0.0.0/0"'));
    expect(position('^host +all +"repuser" +all +reject')).toBeLessThan(position('^hostssl +all +all +"0.0.0.0/0"'));
  });
});

describe("on several hosts", () => {
  const keys = {
    primary: "node-1",
    hosts: {
      db1: { docker: "ssh://db1.example.com", address: "10.0.0.11" },
      db2: { docker: "ssh://db2.example.com", address: "10.0.0.12" },
    },
    nodes: [
      { name: "node-1", host: "db1", port: 5432 },
      { name: "node-2", host: "db2", port: 5433 },
    ],
    network: { operators: ["10.0.0.5"] },
  };
  const plan = planOf(keys);

  test("nodes meet where they are published, by names that their certificates have", () => {
    const conninfo = fileOf(nodeOf(plan, "node-2"), "replication.conf");
    expect(conninfo).toContain("host=node-1 hostaddr=10.0.0.11 port=5432 ");
    expect(fileOf(nodeOf(plan, "node-1"), "peers")).toContain("node-2 host=node-2 hostaddr=10.0.0.12 port=5433 ");
    expect(nodeOf(plan, "node-2")).toMatchObject({
      published: { host: "10.0.0.12", port: 5433 },
      clientEndpoint: { host: "10.0.0.12", port: 5433 },
      certificateNames: ["node-2", "pg-topology-dev-node-2", "localhost", "127.0.0.1", "10.0.0.12"],
    });
  });

  test("pg_hba.conf names their addresses, and for the operator those it comes from, and nothing wider", () => {
    const { topology } = hbaRules(settingsOf(keys));
    const from = (user: string): string[] => [
      ...new Set(topology.flatMap((rule) => (rule.user === user && rule.method !== "reject" ? [rule.address] : []))),
    ];
    const hosts = ["samenet", "10.0.0.11/32", "10.0.0.12/32"];
    expect(from("repuser")).toEqual(hosts);
    expect(from("app")).toEqual(hosts);
    expect(from("pgtopology")).toEqual([...hosts, "10.0.0.5/32"]);
  });

  describe("with backups", () => {
    const DB3 = { db3: { docker: "ssh://db3.example.com", address: "10.0.0.13" } };
    const hostOf = (rest: Keys): string | undefined => planOf({ ...keys, ...rest }).backup?.host?.name;
    const backup = { enabled: true };

    test.each([
      ["a host without the first node", { backup }, "db2"],
      ["the same, whoever is the primary", { backup, primary: "node-2" }, "db2"],
      ["a host without any node, if there is one", { backup, hosts: { ...keys.hosts, ...DB3 } }, "db3"],
      ["the only one", { backup, hosts: { db1: keys.hosts.db1 }, nodes: keys.nodes.slice(0, 1) }, "db1"],
      ["the one that is named", { backup: { ...backup, host: "db1" } }, "db1"],
    ])("the backup server is on %s", (_title, rest, host) => {
      expect(hostOf(rest)).toBe(host);
    });

    test("its roles come in from its host, and from no other", () => {
      const own = hbaRules(settingsOf({ ...keys, backup })).topology.filter(({ user }) => user.includes("barman"));
      const from = own.flatMap(({ method, address }) => (method === "reject" ? [] : [address]));
      expect(from).toEqual(["samenet", "10.0.0.12/32", "samenet", "10.0.0.12/32"]);
    });

    test("a cluster is founded from backups by a job on the primary's host, which sees the nodes there", () => {
      const founded = planOf({ ...keys, bootstrap: { from: { stack: "production" } } }).bootstrap;
      expect(founded?.node).toMatchObject({ name: "node-1", host: { name: "db1" } });
      expect(founded?.mounts.map(({ volume }) => volume)).not.toContain("pg-topology-dev-node-2-data");
    });
  });

  test("a founding looks into the volumes of other hosts by itself", () => {
    expect(initdbJob(plan)).toMatchObject({
      mounts: [{ volume: "pg-topology-dev-node-1-data" }],
      elsewhere: { nodes: [{ name: "node-2", volume: "pg-topology-dev-node-2-data", host: { name: "db2" } }] },
    });
  });
});

describe("clients", () => {
  test("are sent to published nodes only, where any is published", () => {
    expect(planOf(EVERYTHING).clientEndpoints).toEqual([
      { host: "127.0.0.1", port: 5455 },
      { host: "127.0.0.1", port: 5456 },
    ]);
  });

  test("are sent to the nodes' names where none is", () => {
    expect(planOf({ primary: "a", nodes: [{ name: "a" }, { name: "b" }] }).clientEndpoints).toEqual([
      { host: "a", port: 5432 },
      { host: "b", port: 5432 },
    ]);
  });

  test("find the published address in the certificate", () => {
    const plan = planOf({ ...EVERYTHING, network: { bindAddress: "192.0.2.7" } });
    expect(plan.primary.certificateNames).toEqual([
      "node-1",
      "pg-topology-dev-node-1",
      "localhost",
      "127.0.0.1",
      "192.0.2.7",
    ]);
  });
});

describe("whatever topology is described", () => {
  const property = (holds: (plan: Plan) => void): void => {
    fc.assert(
      fc.property(anySettings, (settings) => {
        holds(makePlan(settings, DEPLOYMENT));
      }),
    );
  };
  const count = (conf: string, name: string): number => Number(settingsIn(conf).get(name));

  test("the plan is the same every time", () => {
    fc.assert(
      fc.property(anySettings, (settings) => {
        expect(makePlan(settings, DEPLOYMENT)).toEqual(makePlan(settings, DEPLOYMENT));
      }),
    );
  });

  test("every standby stands after the node that it streams from", () => {
    property(({ primary, standbys, nodes }) => {
      expect(standbys).toHaveLength(nodes.length - 1);
      const there = new Set([primary.name]);
      for (const { name, upstream } of standbys) {
        expect(there).toContain(upstream);
        there.add(name);
      }
    });
  });

  test("the primary alone has no upstream", () => {
    property(({ primary, nodes }) => {
      expect(nodes.filter((node) => node.upstream === null)).toEqual([primary]);
    });
  });

  test("slots are unique and of letters, digits and underscores", () => {
    property(({ nodes }) => {
      const slots = nodes.map((node) => node.slot);
      expect(new Set(slots).size).toBe(nodes.length);
      for (const slot of slots) expect(slot).toMatch(/^[a-z0-9_]{1,63}$/);
    });
  });

  test("no two Docker objects have one name", () => {
    property((plan) => {
      const names = plan.nodes.flatMap((node) => [
        ...[node.container, node.dataVolume, node.configurationVolume],
        ...[node.initdbJob, node.baseBackupJob],
      ]);
      const all = [...names, plan.network.name, ...(plan.archiveVolume === null ? [] : [plan.archiveVolume])];
      expect(new Set(all).size).toBe(all.length);
      for (const name of all) expect(name).toMatch(/^pg-topology-dev-/);
    });
  });

  test("every node has senders for all others, streaming and cloning at once, and a slot for each", () => {
    property(({ nodes }) => {
      for (const node of nodes) {
        const conf = fileOf(node, "postgresql.conf");
        expect(count(conf, "max_wal_senders")).toBeGreaterThanOrEqual(3 * (nodes.length - 1));
        expect(count(conf, "max_replication_slots")).toBeGreaterThanOrEqual(nodes.length - 1);
      }
    });
  });

  test("a synchronous commit waits for standbys that can confirm it, and for no node itself", () => {
    property(({ nodes }) => {
      for (const node of nodes) {
        const names = settingsIn(fileOf(node, "replication.conf")).get("synchronous_standby_names") ?? "";
        expect(names).not.toContain(`"${node.name}"`);
      }
    });
  });

  test("where writes may go on without a standby, nothing is promised of a primary that has died", () => {
    const synchronous = { mode: "quorum", count: 1 };
    const plan = (more: object) => planOf({ ...EVERYTHING, replication: { synchronous: { ...synchronous, ...more } } });
    expect(plan({})).toMatchObject({ guarantee: { count: 1 }, whenStandbyMissing: "wait" });
    expect(plan({ whenStandbyMissing: "degrade" })).toMatchObject({ guarantee: null, whenStandbyMissing: "degrade" });
  });

  test("every node's files have one path each, below the configuration volume", () => {
    property(({ nodes }) => {
      for (const { files } of nodes) {
        expect(new Set(files.map(({ path }) => path)).size).toBe(files.length);
        for (const { path, content } of files) {
          expect(path).toMatch(/^\/etc\/pg-topology\//);
          expect(content).not.toMatch(/undefined|\[object|NaN|\{\{/);
        }
      }
    });
  });
});
