import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import { PROJECT_DIRECTORY } from "../support/project.ts";
import { CANARY, inTheOpen, runProgram } from "./support.ts";
import type { Keys, ProgramRun, Registration } from "./support.ts";

const TWO: Keys = { primary: "node-1", nodes: [{ name: "node-1", port: 5455 }, { name: "node-2" }] };
const CASCADE: Keys = {
  primary: "node-1",
  nodes: [{ name: "node-1" }, { name: "node-2" }, { name: "node-3", upstream: "node-2" }],
};

const place = ({ parent, type, name }: Registration): string => `${parent} > ${type} ${name}`;
const isDocker = ({ type }: Registration): boolean => type.startsWith("docker:");
const dockerInputs = (run: ProgramRun): Map<string, unknown> =>
  new Map(run.registrations.filter(isDocker).map(({ urn, inputs }) => [urn, inputs]));

describe("a primary and a standby", () => {
  test("are exactly these resources", async () => {
    const { registrations } = await runProgram(TWO);
    expect(registrations.map(place).toSorted()).toEqual([
      " > pgtopology:index:ApplicationDatabase database",
      " > pgtopology:index:Clients clients",
      " > pgtopology:index:Credentials credentials",
      " > pgtopology:index:DataVolumes data-volumes",
      " > pgtopology:index:DockerEngine engine",
      " > pgtopology:index:PostgresNode node-1",
      " > pgtopology:index:PostgresNode node-2",
      " > pgtopology:index:ReplicationNetwork replication",
      " > pgtopology:index:ReplicationUser replication-user",
      " > pgtopology:index:VerifiedTopology topology",
      "clients > pgtopology:index:ClientFile clients-root-certificate",
      "credentials > pgtopology:index:CertificateAuthority credentials-authority",
      "credentials > pgtopology:index:Password credentials-operator-password",
      "credentials > pgtopology:index:Password credentials-owner-password",
      "credentials > pgtopology:index:Password credentials-replication-password",
      "data-volumes > docker:index/volume:Volume pg-topology-dev-node-1-data",
      "data-volumes > docker:index/volume:Volume pg-topology-dev-node-2-data",
      "database > pgtopology:index:Database database",
      "database > pgtopology:index:Role database-owner",
      "node-1 > docker:index/container:Container node-1-container",
      "node-1 > docker:index/volume:Volume node-1-configuration",
      "node-1 > pgtopology:index:ContainerTurn node-1-turn",
      "node-1 > pgtopology:index:DatabaseCluster database-cluster",
      "node-1 > pgtopology:index:Server node-1-server",
      "node-1 > pgtopology:index:ServerCertificate node-1-certificate",
      "node-1 > pgtopology:index:VolumeFiles node-1-files",
      "node-2 > docker:index/container:Container node-2-container",
      "node-2 > docker:index/volume:Volume node-2-configuration",
      "node-2 > pgtopology:index:BaseBackup node-2-base-backup",
      "node-2 > pgtopology:index:ContainerTurn node-2-turn",
      "node-2 > pgtopology:index:Server node-2-server",
      "node-2 > pgtopology:index:ServerCertificate node-2-certificate",
      "node-2 > pgtopology:index:VolumeFiles node-2-files",
      "replication > docker:index/network:Network replication-network",
      "replication-user > pgtopology:index:Role replication-user-operator",
      "replication-user > pgtopology:index:Role replication-user-replication",
      "topology > pgtopology:index:Topology topology",
    ]);
  });

  test("are registered in a preview as in an update", async () => {
    const [update, preview] = [await runProgram(TWO), await runProgram(TWO, { preview: true })];
    expect(preview.registrations.map(place).toSorted()).toEqual(update.registrations.map(place).toSorted());
  });

  test("what belongs to one component stands below it; only the checks of the engine stand alone", async () => {
    const { registrations } = await runProgram({ ...TWO, parameters: { work_mem: "16MB" } });
    const alone = registrations.filter(({ custom, parent }) => custom && parent === "");
    expect(alone.map(({ name }) => name).toSorted()).toEqual(["engine", "parameters"]);
  });
});

describe("nodes on several hosts", () => {
  const HOSTS = {
    primary: "node-1",
    hosts: {
      db1: { docker: "unix:///var/run/docker.sock", address: "10.0.0.11" },
      db2: { docker: "tcp://10.0.0.12:2376", address: "10.0.0.12", certificates: "./secrets/db2" },
    },
    nodes: [
      { name: "node-1", host: "db1", port: 5432 },
      { name: "node-2", host: "db2", port: 5432 },
    ],
  };

  test("have a Docker provider for each host, and a network on each", async () => {
    const run = await runProgram(HOSTS);
    const providers = run.registrations.filter(({ type }) => type === "pulumi:providers:docker");
    expect(providers.map(({ name }) => name).toSorted()).toEqual(["host-db1", "host-db2"]);
    expect(run.find("host-db2").inputs).toMatchObject({ host: "tcp://10.0.0.12:2376", certPath: "./secrets/db2" });
    expect(run.find("replication-network-db1").inputs).toEqual(run.find("replication-network-db2").inputs);
  });

  test("are published at the address of their host, and there alone", async () => {
    const { inputs } = (await runProgram(HOSTS)).find("node-2-container");
    expect(inputs["ports"]).toEqual([{ internal: 5432, external: 5432, ip: "10.0.0.12", protocol: "tcp" }]);
  });

  test("are handed to the provider with their host; without hosts there is no trace of any", async () => {
    const host = { host: { name: "db2", address: "10.0.0.12" }, endpoint: { host: "10.0.0.12", port: 5432 } };
    expect((await runProgram(HOSTS)).find("node-2-server").inputs["node"]).toMatchObject(host);
    const { registrations } = await runProgram(TWO);
    const handed = registrations.filter(({ type }) => type.startsWith("pgtopology:"));
    expect(JSON.stringify(handed.map(({ inputs }) => inputs))).not.toMatch(/"(hosts|placed|endpoint|elsewhere)":/);
  });
});

test("a backup server on a host is told to the provider with it, and its image is brought there", async () => {
  const hosts = {
    db1: { docker: "ssh://db1.example.com", address: "10.0.0.11" },
    db2: { docker: "ssh://db2.example.com", address: "10.0.0.12" },
  };
  const nodes = [{ name: "node-1", host: "db1", port: 5432 }];
  const keys = { primary: "node-1", hosts, nodes, backup: { enabled: true }, drill: { enabled: true } };
  const run = await runProgram(keys);
  const host = { name: "db2", docker: "ssh://db2.example.com" };
  expect(run.find("backup-image")).toMatchObject({ type: "pgtopology:index:HostImage", inputs: { host } });
  expect(run.find("backup-server").inputs).toMatchObject({ host });
  expect(run.find("backup-files").inputs).toMatchObject({ host });
  expect(run.find("backup-drill").inputs["node"]).toMatchObject({ host });
  expect(run.find("engine").inputs["backupServer"]).toMatchObject({ container: "pg-topology-dev-barman", host });
});

describe("a node's container", () => {
  test("gets nothing that depends on a role, a password, a certificate or a parameter", async () => {
    const { inputs } = (await runProgram(TWO)).find("node-1-container");
    expect(inputs).toEqual({
      name: "pg-topology-dev-node-1",
      hostname: "node-1",
      image: "postgres:17",
      entrypoints: ["/etc/pg-topology/guard"],
      command: ["docker-entrypoint.sh", "postgres", "-c", "config_file=/etc/pg-topology/postgresql.conf"],
      envs: ["PGDATA=/var/lib/postgresql/data/pgdata"],
      labels: [
        { label: "pg-topology.generation", value: expect.stringMatching(/^[0-9a-f]{12}$/) as string },
        { label: "pg-topology.node", value: "node-1" },
        { label: "pg-topology.project", value: "pg-topology" },
        { label: "pg-topology.stack", value: "dev" },
      ],
      mounts: [
        { type: "volume", source: "pg-topology-dev-node-1-data", target: "/var/lib/postgresql/data", readOnly: false },
        { type: "volume", source: "pg-topology-dev-node-1-configuration", target: "/etc/pg-topology", readOnly: true },
      ],
      networkMode: "bridge",
      networksAdvanced: [{ name: "pg-topology-dev-network", aliases: ["node-1"] }],
      ports: [{ internal: 5432, external: 5455, ip: "127.0.0.1", protocol: "tcp" }],
      restart: "unless-stopped",
      stopSignal: "SIGINT",
      stopTimeout: 120,
      destroyGraceSeconds: 120,
      shmSize: 256,
      mustRun: false,
    });
  });

  test("is made after its network, its volumes and its files", async () => {
    const run = await runProgram({ ...TWO, archiving: { enabled: true } });
    expect(run.find("node-2-container").dependsOn).toEqual([
      "node-2-files",
      "node-2-turn",
      "pg-topology-dev-node-2-data",
      "replication-network",
      "wal-archive-files",
    ]);
  });

  test("takes no name from another resource: replacing that would replace the container", async () => {
    const { registrations } = await runProgram(TWO);
    for (const { inputs } of registrations.filter(isDocker)) expect(JSON.stringify(inputs)).not.toMatch(/-id"/);
  });
});

describe("a new container", () => {
  const after = (run: ProgramRun, node: string): string[] => {
    const turns = run.find(`${node}-turn`).inputs["after"] as { node: { name: string } }[];
    return turns.map((earlier) => earlier.node.name);
  };

  test("comes to the standbys first, one at a time and a cascading one before its upstream, to the primary last", async () => {
    const run = await runProgram(CASCADE);
    expect(after(run, "node-3")).toEqual([]);
    expect(after(run, "node-2")).toEqual(["node-3"]);
    expect(after(run, "node-1")).toEqual(["node-3", "node-2"]);
  });

  test("may come to one node before the others", async () => {
    const run = await runProgram({ ...TWO, nodes: [{ name: "node-1" }, { name: "node-2", image: "postgres:17.4" }] });
    expect(run.find("node-1-container").inputs).toMatchObject({ image: "postgres:17" });
    expect(run.find("node-2-container").inputs).toMatchObject({ image: "postgres:17.4" });
    expect(run.find("engine").inputs).toMatchObject({ images: ["postgres:17", "postgres:17.4"] });
  });

  test("is known by its label, which changes with the image, and not with a parameter", async () => {
    const generation = async (keys: Keys): Promise<unknown> =>
      (await runProgram(keys)).find("node-2-turn").inputs["generation"];
    const before = await generation(TWO);
    expect(await generation({ ...TWO, image: "postgres:17.4" })).not.toBe(before);
    expect(await generation({ ...TWO, parameters: { work_mem: "16MB" } })).toBe(before);
  });
});

describe("the order of work", () => {
  test("a standby is cloned once its upstream serves and the replication user is there", async () => {
    const run = await runProgram(CASCADE);
    const roles = ["replication-user-operator", "replication-user-replication"];
    expect(run.find("node-2-base-backup").dependsOn).toEqual(expect.arrayContaining(["node-1-server", ...roles]));
    expect(run.find("node-3-base-backup").dependsOn).toEqual(expect.arrayContaining(["node-2-server", ...roles]));
  });

  test("standbys of one upstream are cloned side by side", async () => {
    const run = await runProgram({ primary: "a", nodes: [{ name: "a" }, { name: "b" }, { name: "c" }] });
    expect(run.find("c-base-backup").dependsOn.filter((name) => name.startsWith("b-"))).toEqual([]);
  });

  test("the topology is verified after everything else", async () => {
    const run = await runProgram(CASCADE);
    const servers = ["node-1-server", "node-2-server", "node-3-server"];
    expect(run.find("topology").parent).toBe("");
    const verified = run.registrations.find(({ type }) => type === "pgtopology:index:Topology");
    expect(verified?.dependsOn).toEqual(expect.arrayContaining([...servers, "database"]));
  });

  test("founding a cluster waits for all data volumes: it looks into each for an older one", async () => {
    const run = await runProgram(CASCADE);
    expect(run.find("database-cluster").dependsOn).toEqual([
      "pg-topology-dev-node-1-data",
      "pg-topology-dev-node-2-data",
      "pg-topology-dev-node-3-data",
    ]);
  });

  test("with the cluster go its roles, without a server that would have to drop them", async () => {
    const { registrations } = await runProgram(TWO);
    const roles = registrations.filter(({ type }) => type === "pgtopology:index:Role");
    expect(roles.map(({ deletedWith }) => deletedWith)).toEqual(roles.map(() => "database-cluster"));
    expect(roles.length).toBeGreaterThan(0);
  });
});

describe("a change of the stack file", () => {
  test("another primary moves no URN of a container, a volume or a file, and changes no Docker input", async () => {
    const before = await runProgram(CASCADE);
    const after = await runProgram({
      ...CASCADE,
      primary: "node-2",
      nodes: [{ name: "node-1" }, { name: "node-2" }, { name: "node-3" }],
    });
    const kept = ({ type }: Registration): boolean => /docker:|VolumeFiles|Server|PostgresNode/.test(type);
    const urns = (run: ProgramRun): string[] =>
      run.registrations
        .filter(kept)
        .map(({ urn }) => urn)
        .toSorted();
    expect(urns(after)).toEqual(urns(before));
    expect(dockerInputs(after)).toEqual(dockerInputs(before));
  });

  test("one more standby leaves every Docker object of the others as it is", async () => {
    const before = dockerInputs(await runProgram(TWO));
    const after = dockerInputs(
      await runProgram({ ...TWO, nodes: [...(TWO["nodes"] as object[]), { name: "node-3" }] }),
    );
    expect(after.size).toBe(before.size + 3);
    for (const [urn, inputs] of before) expect(after.get(urn)).toEqual(inputs);
  });

  test("another order of the nodes changes nothing at all on the engine", async () => {
    const before = dockerInputs(await runProgram(CASCADE));
    const after = dockerInputs(await runProgram({ ...CASCADE, nodes: (CASCADE["nodes"] as object[]).toReversed() }));
    expect(new Map([...after].toSorted())).toEqual(new Map([...before].toSorted()));
  });

  test.each<[string, Keys]>([
    ["the subnet, and fixed addresses", { network: { subnet: "10.9.0.0/24" } }],
    ["the address that ports are published on", { network: { bindAddress: "0.0.0.0" } }],
    ["the image", { image: "registry.example/postgres:17.2" }],
    ["parameters and access rules", { parameters: { work_mem: "8MB" }, accessRules: [] }],
    ["the names of database and roles", { database: { name: "b", owner: "c" }, replication: { user: "d" } }],
    ["an acknowledgement", { acknowledge: { volumes: ["pg-topology-dev-node-1-data"], synchronous: true } }],
  ])("%s: no volume becomes another one", async (_title, change) => {
    const volumes = async (keys: Keys): Promise<[string, unknown][]> =>
      (await runProgram(keys)).registrations
        .filter(({ type }) => type.endsWith(":Volume"))
        .map(({ urn, inputs }): [string, unknown] => [urn, inputs])
        .toSorted();
    const archiving = { enabled: true };
    expect(await volumes({ ...TWO, archiving, ...change })).toEqual(await volumes({ ...TWO, archiving }));
  });

  test("data volumes are protected where the stack file says so, and their labels never replace them", async () => {
    const volumes = async (keys: Keys): Promise<Registration[]> =>
      (await runProgram(keys)).registrations.filter(
        ({ type, name }) => type.endsWith(":Volume") && !name.endsWith("-configuration"),
      );
    const isProtected = (registrations: Registration[]): boolean[] => registrations.map(({ protect }) => protect);
    const archiving = { enabled: true };
    expect(isProtected(await volumes({ ...TWO, archiving, deletionProtection: true }))).toEqual([true, true, true]);
    const open = await volumes({ ...TWO, archiving });
    expect(isProtected(open)).toEqual([false, false, false]);
    for (const { ignoreChanges } of open) expect(ignoreChanges).toEqual(["labels", "driver", "driverOpts"]);
  });
});

describe("backups", () => {
  const withBackups = { ...TWO, backup: { enabled: true } };

  test("are a Barman server, its image and its roles, and change no Docker object of the nodes", async () => {
    const [without, run] = [await runProgram(TWO), await runProgram(withBackups)];
    const before = new Set(without.registrations.map(place));
    const added = run.registrations.map(place).filter((line) => !before.has(line));
    expect(added.toSorted()).toEqual([
      " > pgtopology:index:Backups backup",
      "backup > command:local:Command backup-image",
      "backup > docker:index/container:Container backup-container",
      "backup > docker:index/volume:Volume backup-configuration",
      "backup > docker:index/volume:Volume pg-topology-dev-barman-data",
      "backup > pgtopology:index:BackupServer backup-server",
      "backup > pgtopology:index:Password backup-barman-password",
      "backup > pgtopology:index:Password backup-streaming-password",
      "backup > pgtopology:index:Role backup-barman",
      "backup > pgtopology:index:Role backup-streaming",
      "backup > pgtopology:index:VolumeFiles backup-files",
    ]);
    const after = dockerInputs(run);
    for (const [urn, inputs] of dockerInputs(without)) expect(after.get(urn)).toEqual(inputs);
  });

  test("a drill comes after the backup, and the objectives after everything", async () => {
    const run = await runProgram({ ...withBackups, drill: { enabled: true }, objectives: { rtoSeconds: 300 } });
    expect(run.find("backup-drill").dependsOn).toContain("backup-server");
    expect(run.find("objectives").dependsOn).toEqual(
      expect.arrayContaining(["backup-drill", "backup-server", "topology"]),
    );
  });

  test("no password stands in an input in the open", async () => {
    const { registrations } = await runProgram(withBackups);
    for (const { inputs } of registrations) expect(JSON.stringify(inTheOpen(inputs))).not.toContain(CANARY);
  });

  test("the first is taken once the topology is verified, and their volume is protected with the others", async () => {
    const run = await runProgram({ ...withBackups, deletionProtection: true });
    expect(run.find("backup-server").dependsOn).toEqual(
      expect.arrayContaining(["backup-container", "backup-barman", "backup-streaming", "topology"]),
    );
    expect(run.find("pg-topology-dev-barman-data").protect).toBe(true);
  });
});

describe("monitoring", () => {
  const watched = { ...TWO, monitoring: { enabled: true, port: 9090 } };

  test("is an exporter for each node and a Prometheus, and changes no Docker object of the nodes", async () => {
    const [without, run] = [await runProgram(TWO), await runProgram(watched)];
    const before = new Set(without.registrations.map(place));
    const added = run.registrations.map(place).filter((line) => !before.has(line));
    expect(added.toSorted()).toEqual([
      " > pgtopology:index:Monitoring monitoring",
      "monitoring > command:local:Command monitoring-image",
      "monitoring > docker:index/container:Container monitoring-container",
      "monitoring > docker:index/container:Container monitoring-node-1",
      "monitoring > docker:index/container:Container monitoring-node-2",
      "monitoring > docker:index/volume:Volume monitoring-data",
      "monitoring > docker:index/volume:Volume monitoring-exporter-configuration",
      "monitoring > docker:index/volume:Volume monitoring-prometheus-configuration",
      "monitoring > pgtopology:index:Password monitoring-password",
      "monitoring > pgtopology:index:Role monitoring-role",
      "monitoring > pgtopology:index:VolumeFiles monitoring-exporter-files",
      "monitoring > pgtopology:index:VolumeFiles monitoring-prometheus-files",
    ]);
    const after = dockerInputs(run);
    for (const [urn, inputs] of dockerInputs(without)) expect(after.get(urn)).toEqual(inputs);
  });

  test("Prometheus, which asks for no password, is published to this host alone", async () => {
    const { inputs } = (await runProgram(watched)).find("monitoring-container");
    expect(inputs["ports"]).toEqual([{ internal: 9090, external: 9090, ip: "127.0.0.1", protocol: "tcp" }]);
  });

  test("no password stands in an input in the open", async () => {
    const { registrations } = await runProgram(watched);
    for (const { inputs } of registrations) expect(JSON.stringify(inTheOpen(inputs))).not.toContain(CANARY);
  });
});

describe("monitoring of nodes on several hosts", () => {
  const address = (number: number): string => `10.0.0.${number}`;
  const keys = {
    primary: "node-1",
    hosts: {
      db1: { docker: "ssh://db1.example.com", address: address(11) },
      db2: { docker: "ssh://db2.example.com", address: address(12) },
    },
    nodes: [
      { name: "node-1", host: "db1", port: 5432 },
      { name: "node-2", host: "db1", port: 5433, metricsPort: 9200 },
      { name: "node-3", host: "db2", port: 5432 },
    ],
    monitoring: { enabled: true, port: 9090 },
  };
  const published = (run: Awaited<ReturnType<typeof runProgram>>, name: string): unknown =>
    (run.find(name).inputs["ports"] as { external: number; ip: string }[] | undefined)?.map(
      ({ ip, external }) => `${ip}:${external}`,
    );

  test("stands on each of them once, with its image and its files", async () => {
    const run = await runProgram(keys);
    const names = run.registrations.map(({ name }) => name);
    for (const host of ["db1", "db2"]) {
      expect(names).toContain(`monitoring-image-${host}`);
      expect(run.find(`monitoring-exporter-${host}-files`).inputs).toMatchObject({ host: { name: host } });
    }
    expect(run.find("monitoring-prometheus-files").inputs).toMatchObject({ host: { name: "db2" } });
  });

  test("is published where Prometheus is not, at the address of the host, and Prometheus on loopback alone", async () => {
    const run = await runProgram(keys);
    expect(published(run, "monitoring-node-1")).toEqual(["10.0.0.11:9187", "10.0.0.11:9188"]);
    expect(published(run, "monitoring-node-2")).toEqual(["10.0.0.11:9200", "10.0.0.11:9201"]);
    expect(published(run, "monitoring-node-3")).toBeUndefined();
    expect(published(run, "monitoring-container")).toEqual(["127.0.0.1:9090"]);
    const ports = run.find("engine").inputs["ports"] as { node: string; on: string }[];
    expect(ports.map(({ node, on }) => `${node} on ${on}`)).toContain("the exporter of node-2 on db1");
    expect(ports.map(({ node, on }) => `${node} on ${on}`)).toContain("Prometheus on db2");
  });

  test("Prometheus asks exporters at the addresses of their hosts, and its own host's on the Docker network", async () => {
    const files = (await runProgram(keys)).find("monitoring-prometheus-files").inputs["files"];
    const { content = "" } =
      (files as { path: string; content?: string }[]).find(({ path }) => path.endsWith("/prometheus.yml")) ?? {};
    const targets = [...content.matchAll(/targets: \["?([^\]"]+)/g)].map(([, target]) => target);
    expect(targets).toEqual([
      ...["10.0.0.11:9187", "10.0.0.11:9200", "node-3.exporter:9187"],
      ...["10.0.0.11:9188", "10.0.0.11:9201", "node-3.exporter:9100"],
    ]);
  });
});

describe("secrets", () => {
  const chosen = { ...TWO, passwords: { owner: `${CANARY} chosen owner`, replication: `${CANARY} chosen repl` } };

  test.each<[string, Keys, readonly string[]]>([
    ["generated", TWO, []],
    // Whether a chosen one changes together with containers, the engine's check tells.
    ["chosen in the stack file", chosen, ["DockerEngine"]],
  ])("%s passwords and keys stand in no input in the open", async (_title, keys, more) => {
    const { registrations } = await runProgram(keys);
    const holders = registrations.filter(({ inputs }) => JSON.stringify(inputs).includes(CANARY));
    expect(new Set(holders.map(({ type }) => type.split(":").at(-1)))).toEqual(
      new Set([
        ...more,
        "ServerCertificate",
        "ContainerTurn",
        "VolumeFiles",
        "Server",
        "Role",
        "BaseBackup",
        "Topology",
      ]),
    );
    for (const { inputs } of registrations) expect(JSON.stringify(inTheOpen(inputs))).not.toContain(CANARY);
  });

  test("what the provider makes up is kept secret by the engine", async () => {
    const { registrations } = await runProgram(TWO);
    const secretOutputs = new Map(registrations.map(({ type, secretOutputs: keys }) => [type.split(":").at(-1), keys]));
    expect(secretOutputs.get("Password")).toEqual(["value"]);
    expect(secretOutputs.get("CertificateAuthority")).toEqual(["privateKeyPem"]);
    expect(secretOutputs.get("ServerCertificate")).toEqual(["privateKeyPem"]);
  });

  test("connection URIs are secret outputs of the stack, and the certificate is not", async () => {
    const { outputs } = await runProgram(TWO);
    const isSecret = (name: string): Promise<boolean> => pulumi.isSecret(outputs[name] as pulumi.Output<unknown>);
    expect(await isSecret("readWriteUri")).toBe(true);
    expect(await isSecret("readOnlyUri")).toBe(true);
    expect(await isSecret("certificateAuthority")).toBe(false);
  });
});

test("every output is documented", async () => {
  const page = readFileSync(join(PROJECT_DIRECTORY, "docs", "reference", "outputs.md"), "utf8");
  const documented = [...page.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
  expect(documented.toSorted()).toEqual(Object.keys((await runProgram(TWO)).outputs).toSorted());
});

test("the stack has the outputs of the contract, and no others", async () => {
  const { outputs } = await runProgram(TWO);
  expect(Object.keys(outputs).toSorted()).toEqual([
    "certificateAuthority",
    "drillHistory",
    "lastDrill",
    "lastRestart",
    "lastSwitchover",
    "nodes",
    "primary",
    "readOnlyUri",
    "readWriteUri",
    "replication",
    "systemIdentifier",
    "timeline",
  ]);
});

test("a bad stack file ends the program with what is wrong with it", async () => {
  await expect(runProgram({ ...TWO, primary: "node-9" })).rejects.toThrow("node-9");
});
