import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { didYouMean } from "../../settings/did-you-mean.ts";
import { isApplyDelay } from "../../settings/durations.ts";
import { knownParameters } from "../../settings/known-parameters.ts";
import { ownedParameters, ownershipOf } from "../../settings/owned-parameters.ts";
import type { Settings } from "../../settings/settings.ts";
import { stackFile } from "../../settings/stack-file.ts";
import { connectionsNeeded } from "../../settings/topology-needs.ts";
import { GOOD, type Keys, settingsOf, warningsOf } from "./settings-support.ts";

/** What the smallest good stack file says. */
const SMALLEST: Settings = {
  image: "postgres:17",
  postgresMajor: 17,
  primary: "node-1",
  hosts: {},
  nodes: [
    {
      name: "node-1",
      host: null,
      port: null,
      metricsPort: null,
      address: null,
      upstream: null,
      applyDelay: null,
      image: null,
    },
  ],
  network: { subnet: null, bindAddress: "127.0.0.1", operators: [] },
  database: { name: "app", owner: "app" },
  replication: { user: "repuser", connectionLimit: 10, synchronous: { mode: "async" } },
  parameters: {},
  accessRules: [],
  archiving: { enabled: false },
  backup: {
    enabled: false,
    host: null,
    retention: "RECOVERY WINDOW OF 7 DAYS",
    minimumRedundancy: 1,
    from: "primary",
    schedule: "0 2 * * *",
    compression: "gzip",
    lastBackupMaximumAge: "2 DAYS",
  },
  drill: { enabled: false, everySeconds: null, assertions: [] },
  bootstrap: null,
  objectives: { rpoSeconds: null, rtoSeconds: null, maxReplayLagBytes: null, maxWriteGapMs: null, enforce: true },
  monitoring: { enabled: false, host: null, port: null },
  initdb: { arguments: [] },
  passwords: { replication: { version: 1 }, owner: { version: 1 }, operator: { version: 1 } },
  certificateAuthority: { version: 1, trustPrevious: true },
  ownAuthority: null,
  deletionProtection: false,
  guard: { whenPeersUnreachable: "start" },
  hooks: { afterPromotion: null },
  acknowledge: { failover: null, rejoin: [], volumes: [], synchronous: false },
};
const DB1 = { name: "db1", docker: "ssh://ops@db1.example.com:2222", address: "10.0.0.11", certificates: null };
const DB2 = { name: "db2", docker: "tcp://10.0.0.12:2376", address: "10.0.0.12", certificates: "./secrets/db2" };
const smallest: Keys = { primary: "node-1", nodes: [{ name: "node-1" }] };

describe("good stack files", () => {
  const TABLE: readonly (readonly [
    title: string,
    keys: Keys,
    differs: Partial<Settings>,
    secret?: readonly string[],
  ])[] = [
    ["the smallest one", {}, {}],
    ["sections left empty", { network: null, parameters: "", accessRules: null, passwords: null }, {}],
    ["parts left empty", { replication: { synchronous: null }, initdb: { arguments: null } }, {}],
    ["backups switched off", { backup: { enabled: false } }, {}],
    [
      "a drill every day",
      { backup: { enabled: true }, drill: { enabled: true, every: "1d" }, objectives: { rtoSeconds: 300 } },
      {
        backup: { ...SMALLEST.backup, enabled: true },
        drill: { enabled: true, everySeconds: 86_400, assertions: [] },
        objectives: { ...SMALLEST.objectives, rtoSeconds: 300 },
      },
    ],
    [
      "acknowledged losses",
      {
        acknowledge: {
          failover: { unfenced: ["node-1"] },
          volumes: ["pg-topology-dev-archive"],
          rejoin: ["node-1"],
        },
      },
      {
        acknowledge: {
          failover: { lostBytes: 0, unfenced: ["node-1"] },
          rejoin: ["node-1"],
          volumes: ["pg-topology-dev-archive"],
          synchronous: false,
        },
      },
    ],
    ["a given version that agrees", { postgresMajor: 17 }, {}],
    ["a detailed tag", { image: "postgres:17.6-bookworm" }, { image: "postgres:17.6-bookworm" }],
    [
      "a registry, a path, a tag and a digest",
      { image: `registry.example:5000/team/postgres:16@sha256:${"0123456789abcdef".repeat(4)}` },
      { image: `registry.example:5000/team/postgres:16@sha256:${"0123456789abcdef".repeat(4)}`, postgresMajor: 16 },
    ],
    ["the oldest version", { image: "postgres:14" }, { image: "postgres:14", postgresMajor: 14 }],
    [
      "a tag without a version",
      { image: "pgvector/pgvector:pg17", postgresMajor: 17 },
      { image: "pgvector/pgvector:pg17" },
    ],
    [
      "a tag that counts something else",
      { image: "timescale/timescaledb:2.17.2-pg16", postgresMajor: 16 },
      { image: "timescale/timescaledb:2.17.2-pg16", postgresMajor: 16 },
    ],
    [
      "everything about nodes",
      {
        network: { subnet: "172.18.0.0/24", bindAddress: "0.0.0.0" },
        nodes: [
          { name: "node-1", port: 1, address: "172.18.0.2" },
          { name: "2nd", port: 65_535, address: "172.18.0.254", upstream: "node-1" },
          { name: "c", upstream: "2nd", applyDelay: "1.5h" },
        ],
      },
      {
        network: { subnet: "172.18.0.0/24", bindAddress: "0.0.0.0", operators: [] },
        nodes: [
          {
            name: "node-1",
            host: null,
            port: 1,
            metricsPort: null,
            address: "172.18.0.2",
            upstream: null,
            applyDelay: null,
            image: null,
          },
          {
            name: "2nd",
            host: null,
            port: 65_535,
            metricsPort: null,
            address: "172.18.0.254",
            upstream: "node-1",
            applyDelay: null,
            image: null,
          },
          {
            name: "c",
            host: null,
            port: null,
            metricsPort: null,
            address: null,
            upstream: "2nd",
            applyDelay: "1.5h",
            image: null,
          },
        ],
      },
    ],
    [
      "nodes on two hosts",
      {
        hosts: {
          db1: { docker: "ssh://ops@db1.example.com:2222", address: "10.0.0.11" },
          db2: { docker: "tcp://10.0.0.12:2376", address: "10.0.0.12", certificates: "./secrets/db2" },
        },
        nodes: [
          { name: "node-1", host: "db1", port: 5432 },
          { name: "node-2", host: "db2", port: 5432 },
        ],
        network: { operators: ["10.0.0.5"] },
      },
      {
        hosts: { db1: DB1, db2: DB2 },
        nodes: [
          {
            name: "node-1",
            host: DB1,
            port: 5432,
            metricsPort: null,
            address: null,
            upstream: null,
            applyDelay: null,
            image: null,
          },
          {
            name: "node-2",
            host: DB2,
            port: 5432,
            metricsPort: null,
            address: null,
            upstream: null,
            applyDelay: null,
            image: null,
          },
        ],
        network: { subnet: null, bindAddress: "127.0.0.1", operators: ["10.0.0.5"] },
      },
    ],
    [
      "metrics of nodes on two hosts",
      {
        hosts: {
          db1: { docker: "ssh://ops@db1.example.com:2222", address: "10.0.0.11" },
          db2: { docker: "tcp://10.0.0.12:2376", address: "10.0.0.12", certificates: "./secrets/db2" },
        },
        nodes: [
          { name: "node-1", host: "db1", port: 5432 },
          { name: "node-2", host: "db2", port: 5432, metricsPort: 9300 },
        ],
        monitoring: { enabled: true },
      },
      {
        hosts: { db1: DB1, db2: DB2 },
        nodes: [
          {
            name: "node-1",
            host: DB1,
            port: 5432,
            metricsPort: 9187,
            address: null,
            upstream: null,
            applyDelay: null,
            image: null,
          },
          {
            name: "node-2",
            host: DB2,
            port: 5432,
            metricsPort: 9300,
            address: null,
            upstream: null,
            applyDelay: null,
            image: null,
          },
        ],
        monitoring: { enabled: true, host: DB2, port: null },
      },
    ],
    [
      "names of one's own",
      { database: { name: "my-shop", owner: "_shop1" }, replication: { user: "streamer" } },
      { database: { name: "my-shop", owner: "_shop1" }, replication: { ...SMALLEST.replication, user: "streamer" } },
    ],
    [
      "parameters of every kind",
      {
        parameters: {
          shared_buffers: "1GB",
          work_mem: "1.5 MB",
          wal_keep_size: 16,
          statement_timeout: "30s",
          jit: false,
          log_lock_waits: "YES",
          random_page_cost: 1.1,
          search_path: "'$user', public",
          "pg_stat_statements.max": 1000,
          next_years_parameter: "x",
          wal_level: "logical",
          synchronous_commit: "off",
          max_connections: 300,
        },
      },
      {
        parameters: {
          shared_buffers: "1GB",
          work_mem: "1.5 MB",
          wal_keep_size: "16",
          statement_timeout: "30s",
          jit: "off",
          log_lock_waits: "YES",
          random_page_cost: "1.1",
          search_path: "'$user', public",
          "pg_stat_statements.max": "1000",
          next_years_parameter: "x",
          wal_level: "logical",
          synchronous_commit: "off",
          max_connections: "300",
        },
      },
    ],
    [
      "access rules",
      {
        accessRules: [
          { database: "all", user: "all", address: "samenet" },
          { database: "app", user: "app", address: "fd00::/64" },
          { database: "postgres", user: "ops", address: "10.1.2.3/32" },
        ],
      },
      {
        accessRules: [
          { database: "all", user: "all", address: "samenet" },
          { database: "app", user: "app", address: "fd00::/64" },
          { database: "postgres", user: "ops", address: "10.1.2.3/32" },
        ],
      },
    ],
    [
      "archiving, protection and initdb",
      {
        archiving: { enabled: true },
        deletionProtection: true,
        initdb: { arguments: ["--locale-provider=icu", "--icu-locale=en"] },
      },
      {
        archiving: { enabled: true },
        deletionProtection: true,
        initdb: { arguments: ["--locale-provider=icu", "--icu-locale=en"] },
      },
    ],
    [
      "encrypted passwords",
      { passwords: { owner: "correct horse battery", replication: String.raw`:\"' staple` + "12" } },
      {
        passwords: {
          owner: "correct horse battery",
          replication: String.raw`:\"' staple` + "12",
          operator: { version: 1 },
        },
      },
      ["passwords"],
    ],
    [
      "versions of passwords, in the open",
      { passwords: { owner: { version: 2 }, operator: { version: 3 } } },
      { passwords: { replication: { version: 1 }, owner: { version: 2 }, operator: { version: 3 } } },
    ],
  ];

  test.for(TABLE)("%s", ([, keys, differs, secret = []]) => {
    expect(settingsOf({ ...smallest, ...keys }, { secret })).toEqual({ ...SMALLEST, ...differs });
  });
});

describe("what follows from the number of standbys", () => {
  const nodes = (count: number): Keys => ({
    nodes: Array.from({ length: count }, (_, index) => ({ name: `node-${index + 1}` })),
  });

  test("the default connection limit is at least 10", () => {
    expect(settingsOf({ ...smallest, ...nodes(5) }).replication.connectionLimit).toBe(10);
    expect(settingsOf({ ...smallest, ...nodes(9) }).replication.connectionLimit).toBe(18);
  });

  test("a connection limit of one's own may be as low as what is needed", () => {
    const replication = { connectionLimit: connectionsNeeded(2) };

    expect(settingsOf({ ...smallest, ...nodes(3), replication }).replication.connectionLimit).toBe(6);
  });

  test("all direct standbys may be synchronous, with one by default", () => {
    const synchronous = (mode: string, count?: number) =>
      settingsOf({ ...smallest, ...nodes(3), replication: { synchronous: { mode, count } } }).replication.synchronous;

    expect(synchronous("quorum", 2)).toEqual({
      mode: "quorum",
      count: 2,
      includeBackup: false,
      whenStandbyMissing: "wait",
    });
    expect(synchronous("priority")).toEqual({
      mode: "priority",
      count: 1,
      includeBackup: false,
      whenStandbyMissing: "wait",
    });
  });

  test("senders and slots may be as low as what is needed", () => {
    const parameters = { max_wal_senders: 8, max_replication_slots: 2 };

    expect(settingsOf({ ...smallest, ...nodes(3), parameters }).parameters).toEqual({
      max_wal_senders: "8",
      max_replication_slots: "2",
    });
  });
});

describe("warnings", () => {
  const TABLE: readonly (readonly [title: string, keys: Keys, part: string])[] = [
    [
      "a version newer than tested",
      { image: "postgres:18" },
      'pg-topology:image: "postgres:18", by its tag PostgreSQL 18, is newer than what was tested',
    ],
    [
      "a public subnet",
      { network: { subnet: "8.8.8.0/24" } },
      'pg-topology:network.subnet: "8.8.8.0/24" is not a private subnet',
    ],
    [
      "access from everywhere",
      { accessRules: [{ database: "app", user: "app", address: "0.0.0.0/0" }] },
      'pg-topology:accessRules[0].address: "0.0.0.0/0" lets clients from everywhere',
    ],
    [
      "access from all of IPv6",
      { accessRules: [{ database: "app", user: "app", address: "::/0" }] },
      "Name the network that they come from.",
    ],
    ["WAL without a bound", { parameters: { max_slot_wal_keep_size: -1 } }, "until the disk of the primary is full"],
    [
      "pages instead of megabytes",
      { parameters: { shared_buffers: 128 } },
      "pg-topology:parameters.shared_buffers: 128 without a unit counts pages of 8 kB, which makes 1024kB",
    ],
    [
      "no standby to spare",
      { replication: { synchronous: { mode: "quorum", count: 2 } } },
      "all 2 standbys that can be waited for: when one of them is away, writes stop",
    ],
    [
      "a standby behind a delayed one",
      { nodes: [{ name: "node-1" }, { name: "b", applyDelay: "1h" }, { name: "c", upstream: "b" }] },
      'pg-topology:nodes[2].upstream: "b" applies changes 1h late',
    ],
  ];

  test.for(TABLE)("%s", ([, keys, part]) => {
    const warnings = warningsOf({ ...GOOD, ...keys });

    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(part);
  });

  test("none about a plain stack file", () => {
    expect(warningsOf(GOOD)).toEqual([]);
  });
});

describe("delays", () => {
  test.each(["1ms", "30min", "1.5h", "24d", "2147483647ms", "10 s"])("%s is one", (text) => {
    expect(isApplyDelay(text)).toBe(true);
  });

  test.each(["", "0ms", "0.4ms", "2147483648ms", "25d", "5us", "-1s", "1", "1 m", "1H", "1e3s", " 1s"])(
    "%j is none",
    (text) => {
      expect(isApplyDelay(text)).toBe(false);
    },
  );
});

describe("did you mean", () => {
  test("finds the nearest name, whatever its style", () => {
    expect(didYouMean("apply_delay", ["address", "applyDelay"])).toBe("applyDelay");
    expect(didYouMean("tow", ["one", "two"])).toBeNull();
    expect(didYouMean("nodess", ["node", "nodes"])).toBe("nodes");
  });

  test("is silent about what is far away", () => {
    expect(didYouMean("x".repeat(1_000_000), ["nodes"])).toBeNull();
    expect(didYouMean("", [])).toBeNull();
  });
});

describe("parameters", () => {
  test("each belongs to the user or to the plan, not to both", () => {
    expect([...knownParameters()].filter((name) => ownershipOf(name) !== null)).toEqual([]);
  });

  test.each([
    ...ownedParameters(),
    "ssl",
    "ssl_ca_file",
    "recovery_target",
    "recovery_target_lsn",
    "include",
    "krb_server_keyfile",
  ])("%s is refused with a reason and a way out", (name) => {
    const { reason, instead } = ownershipOf(name) ?? {};

    expect(reason).toMatch(/^\S.*[^.]$/);
    expect(instead).toMatch(/^Remove it.*\.$/);
  });

  test.each(["sslsomething.x", "included", "constructor", "work_mem"])("%s is the user's", (name) => {
    expect(ownershipOf(name)).toBeNull();
  });
});

describe("the project's own files", () => {
  interface Declaration {
    readonly description?: string;
    readonly default?: unknown;
    readonly type?: string;
  }
  const configOf = <Value>(file: string): Readonly<Record<string, Value>> => {
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
    return (parseYaml(text) as { config: Record<string, Value> }).config;
  };
  const declarations = configOf<Declaration>("Pulumi.yaml");
  const ownKeys = (file: string): Keys =>
    Object.fromEntries(Object.entries(configOf(file)).map(([key, value]) => [key.replace(/^pg-topology:/, ""), value]));

  test("Pulumi.yaml declares every key, with its type in the description", () => {
    expect(Object.keys(declarations)).toEqual(Object.keys(stackFile.shape));
    for (const declaration of Object.values(declarations)) {
      expect(declaration.description).toMatch(/^(Text|Integer|Boolean|Mapping|Mapping of secrets|List of mappings)\b/);
      // The CLI asks for a key without a default, and checks one with a type before the program can.
      expect(declaration.default).toBeDefined();
      expect(declaration.type).toBeUndefined();
    }
  });

  test("the defaults in Pulumi.yaml are those of the program", () => {
    const defaults = Object.fromEntries(
      Object.entries(declarations).map(([key, declaration]) => [key, declaration.default]),
    );

    expect(settingsOf({ ...defaults, ...smallest })).toEqual(SMALLEST);
  });

  test.each([
    ["dev", { nodes: 2, synchronous: { mode: "async" }, archiving: { enabled: false }, deletionProtection: false }],
    [
      "staging",
      {
        nodes: 3,
        synchronous: { mode: "priority", count: 1, includeBackup: false, whenStandbyMissing: "wait" },
        archiving: { enabled: true },
        deletionProtection: false,
      },
    ],
    [
      "production",
      {
        nodes: 4,
        synchronous: { mode: "quorum", count: 2, includeBackup: false, whenStandbyMissing: "wait" },
        archiving: { enabled: true },
        deletionProtection: true,
      },
    ],
  ])("the stack file of %s is good, without warnings", (stack, expected) => {
    const keys = ownKeys(`Pulumi.${stack}.yaml`);
    const { nodes, replication, archiving, deletionProtection } = settingsOf(keys, { stack });

    expect({ nodes: nodes.length, synchronous: replication.synchronous, archiving, deletionProtection }).toEqual(
      expected,
    );
    expect(warningsOf(keys)).toEqual([]);
  });

  test("the stack file of production is under its policy", () => {
    const { policy } = ownKeys("Pulumi.production.yaml");
    expect(policy).toBe("production");
  });

  test("the stacks can live side by side: no port is used twice", () => {
    const ports = ["dev", "staging", "production"].flatMap((stack) =>
      settingsOf(ownKeys(`Pulumi.${stack}.yaml`)).nodes.map(({ port }) => port),
    );

    expect(new Set(ports).size).toBe(ports.length);
  });
});
