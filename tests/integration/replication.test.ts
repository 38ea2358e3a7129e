import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { layoutOf } from "../../plan/layout.ts";
import { addressOf, containerId, docker, inspect } from "../support/containers.ts";
import { update } from "../support/changes.ts";
import { endpointOf, ownerLogin } from "../support/outputs.ts";
import type { StackOutputs } from "../support/outputs.ts";
import { freePorts } from "../support/ports.ts";
import { expectStreaming, sendersOn } from "../support/replication-checks.ts";
import { psqlIn, rowsIn, rowsOf, startTimeIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";
import { statusOf } from "../support/status.ts";
import { freeSubnetPrefix } from "../support/subnets.ts";
import { inWorld } from "../support/world.ts";

describe("a cascading, a delayed and a synchronous standby, at fixed addresses", () => {
  let stack: TestStack;
  let outputs: StackOutputs;
  let config: (changes?: StackConfig, cascading?: StackConfig) => StackConfig;
  let prefix: string;
  let primary: string;

  beforeAll(async () => {
    prefix = await freeSubnetPrefix();
    const [first, second] = await freePorts(2);
    config = (changes = {}, cascading = { upstream: "node-2" }) => ({
      primary: "node-1",
      network: { subnet: `${prefix}.0/24` },
      nodes: [
        // Its name comes first, so that whatever asks the nodes in order asks the one that is behind.
        { name: "late", address: `${prefix}.13`, applyDelay: "10min" },
        { name: "node-1", address: `${prefix}.11`, port: first },
        { name: "node-2", address: `${prefix}.12`, port: second },
        { name: "node-3", address: `${prefix}.14`, ...cascading },
      ],
      replication: { synchronous: { mode: "priority", count: 1 } },
      ...changes,
    });
    stack = await TestStack.create(config());
    await stack.up();
    outputs = await stack.outputs<StackOutputs>();
    primary = stack.container("node-1");
    await rowsOf(ownerLogin(outputs, "node-1"), "CREATE TABLE events (name text)");
  });
  afterAll(() => stack.dispose());

  const insert = (name: string): Promise<unknown> =>
    rowsOf(ownerLogin(outputs, "node-1"), `INSERT INTO events VALUES ('${name}')`);
  const eventsOn = (node: string): Promise<string> =>
    psqlIn(stack.container(node), "SELECT string_agg(name, ' ' ORDER BY name) FROM events", "app").catch(String);

  test("the cascading standby streams from its upstream, and gets what is written on the primary", async () => {
    await expectStreaming(stack, "node-2", ["node-3"]);
    await expectStreaming(stack, "node-1", ["late", "node-2"]);
    // As the guard of a primary asks its peers, only longer.
    const question = `host=node-2 user=repuser passfile=/etc/pg-topology/passfile dbname=postgres replication=true sslmode=require application_name=node-1`;
    await docker("exec", "-d", "-u", "postgres", primary, "sh", "-c", `sleep 20 | psql '${question}'`);
    const asking = "SELECT count(*) FROM pg_stat_replication WHERE application_name = 'node-1'";
    await expect.poll(() => psqlIn(stack.container("node-2"), asking)).not.toBe("0");
    const { condition, problems, nodes } = await statusOf(stack);
    expect({ condition, problems }).toEqual({ condition: "healthy", problems: [] });
    expect(nodes.map(({ name, upstream }) => `${name} < ${upstream}`)).toEqual([
      ...["late < node-1", "node-1 < null", "node-2 < node-1", "node-3 < node-2"],
    ]);
    await insert("cascaded");
    await expect.poll(() => eventsOn("node-3"), { timeout: 15_000 }).toContain("cascaded");
  });

  test("the delayed standby has received what it does not show yet", async () => {
    await insert("recent");
    const written = await psqlIn(primary, "SELECT pg_current_wal_flush_lsn()");
    const hasReceived = `SELECT pg_last_wal_receive_lsn() >= '${written}'`;
    await expect.poll(() => psqlIn(stack.container("late"), hasReceived), { timeout: 15_000 }).toBe("t");
    await expect.poll(() => eventsOn("node-2"), { timeout: 15_000 }).toContain("recent");
    await sleep(2000);
    expect(await eventsOn("late")).not.toContain("recent");
  });

  test("every node has the address of the stack file", async () => {
    const addresses = { late: 13, "node-1": 11, "node-2": 12, "node-3": 14 };
    for (const [node, last] of Object.entries(addresses)) {
      expect(await addressOf(stack.container(node))).toBe(`${prefix}.${last}`);
    }
  });

  test("a node without a port is not published, and its output names its address", async () => {
    for (const node of ["late", "node-3"]) {
      const { NetworkSettings } = await inspect(stack.container(node));
      expect(Object.values(NetworkSettings.Ports).flatMap((bindings) => bindings ?? [])).toEqual([]);
      const address = await addressOf(stack.container(node));
      expect(endpointOf(outputs, node)).toMatchObject({ host: address, port: 5432 });
      const whoAmI = await rowsOf(ownerLogin(outputs, node), "SHOW cluster_name");
      expect(whoAmI).toEqual([{ cluster_name: node }]);
    }
  });

  test("only a direct standby without delay is synchronous", async () => {
    const states = (await sendersOn(primary)).map(({ node, syncState }) => ({ node, syncState }));
    expect(states).toEqual([
      { node: "late", syncState: "async" },
      { node: "node-2", syncState: "sync" },
    ]);
  });

  test("a commit waits for as long as the synchronous standby is away", async () => {
    await docker("stop", stack.container("node-2"));
    let committed = false;
    const commit = insert("synchronous").then(() => (committed = true));
    const waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    await expect.poll(() => psqlIn(primary, waiting), { timeout: 15_000 }).toBe("1");
    await sleep(1000);
    expect(committed).toBe(false);
    const { nodes, problems } = await statusOf(stack);
    expect(nodes.find(({ name }) => name === "node-1")?.waitingCommits).toBe(1);
    expect(problems).toContainEqual(
      expect.objectContaining({
        kind: "commits-waiting",
        node: "node-1",
        what: expect.stringMatching(
          /^commits wait for 1 of node-2, and 0 can confirm them; 1 commit waits, the oldest for \d+ s$/,
        ) as string,
      }),
    );
    await docker("start", stack.container("node-2"));
    await commit;
    await expectStreaming(stack, "node-1", ["late", "node-2"]);
    await expectStreaming(stack, "node-2", ["node-3"]);
  });

  inWorld(() => {
    test("a role that was altered is not altered again because the delayed standby does not show it yet", async () => {
      await stack.configure(
        config({ replication: { connectionLimit: 12, synchronous: { mode: "priority", count: 1 } } }),
      );
      const { changes } = await update(stack);
      expect(changes).toEqual([{ op: "update", type: "pgtopology:index:Role", name: "replication-user-replication" }]);
      await stack.expectNoChanges();
    });

    test("parameters that a standby must not have less of are not lowered under a delayed one", async () => {
      const startTimes = await Promise.all([startTimeIn(primary), startTimeIn(stack.container("late"))]);
      const replication = { connectionLimit: 12, synchronous: { mode: "priority", count: 1 } };
      await stack.configure(config({ replication, parameters: { max_connections: 60 } }));
      const output = await stack.failingUp();
      expect(output).toContain("max_connections");
      expect(output).toContain("late applies changes 10min late");
      expect(await Promise.all([startTimeIn(primary), startTimeIn(stack.container("late"))])).toEqual(startTimes);
      await stack.configure(config({ replication }));
      await stack.up();
      await stack.expectNoChanges();
    });
  });

  test("a standby moves to another upstream by a reload, and leaves nothing behind", async () => {
    const container = stack.container("node-3");
    const before = [await containerId(container), await startTimeIn(container)];
    const replication = { connectionLimit: 12, synchronous: { mode: "priority", count: 1 } };
    await stack.configure(config({ replication }, {}));
    await stack.up();
    await expectStreaming(stack, "node-1", ["late", "node-2", "node-3"]);
    expect([await containerId(container), await startTimeIn(container)]).toEqual(before);
    const kept = "SELECT slot_name FROM pg_replication_slots WHERE restart_lsn IS NOT NULL";
    expect(await rowsIn(stack.container("node-2"), kept)).toEqual([]);
    await stack.expectNoChanges();
  });

  inWorld(() => {
    test("a node that comes later gets its address, while its base backup is under way", async () => {
      const replication = { connectionLimit: 12, synchronous: { mode: "priority", count: 1 } };
      const { nodes, ...rest } = config({ replication }, {}) as { nodes: StackConfig[] };
      await stack.configure({ ...rest, nodes: [...nodes, { name: "node-4", address: `${prefix}.15` }] });
      await stack.up();
      expect(await addressOf(stack.container("node-4"))).toBe(`${prefix}.15`);
      await expectStreaming(stack, "node-1", ["late", "node-2", "node-3", "node-4"]);
    });
  });
});

describe("two standbys of which any one confirms", () => {
  const NODES = ["node-1", "node-2", "node-3"];
  let stack: TestStack;
  let config: (parameters: StackConfig) => StackConfig;
  let ids: string[];
  /** Parameters that hold after the tests so far. */
  let held: StackConfig = { work_mem: "5MB", max_connections: 50 };

  beforeAll(async () => {
    const ports = await freePorts(NODES.length);
    config = (parameters) => ({
      primary: "node-1",
      nodes: NODES.map((name, index) => ({ name, port: ports[index] })),
      replication: { synchronous: { mode: "quorum", count: 1 } },
      parameters,
    });
    stack = await TestStack.create(config(held));
    await stack.up();
    ids = await Promise.all(containers().map(containerId));
  });
  afterAll(() => stack.dispose());

  const containers = (): string[] => NODES.map((node) => stack.container(node));
  const shown = (parameter: string): Promise<string[]> =>
    Promise.all(containers().map((container) => psqlIn(container, `SHOW ${parameter}`)));
  const startTimes = async (): Promise<Date[]> =>
    (await Promise.all(containers().map(startTimeIn))).map((time) => new Date(time));

  test("both are in the quorum", async () => {
    const senders = await sendersOn(stack.container("node-1"));
    expect(senders.map(({ node, syncState }) => [node, syncState])).toEqual([
      ["node-2", "quorum"],
      ["node-3", "quorum"],
    ]);
  });

  test("a commit waits for neither of them while the other one is there", async () => {
    await docker("stop", stack.container("node-3"));
    await psqlIn(stack.container("node-1"), "CREATE TABLE confirmed_by_one ()");
    await docker("start", stack.container("node-3"));
    await expectStreaming(stack, "node-1", ["node-2", "node-3"]);
  });

  test("the parameters of the stack file are effective on every node", async () => {
    expect(await shown("work_mem")).toEqual(["5MB", "5MB", "5MB"]);
    expect(await shown("max_connections")).toEqual(["50", "50", "50"]);
  });

  inWorld(() => {
    test("what a reload is enough for restarts no server", async () => {
      const before = await startTimes();
      held = { ...held, work_mem: "6MB" };
      await stack.configure(config(held));
      await stack.up();
      expect(await shown("work_mem")).toEqual(["6MB", "6MB", "6MB"]);
      expect(await startTimes()).toEqual(before);
    });

    // Standbys may never have fewer connections than the primary had when it wrote the WAL that they replay.
    test.each([
      { change: "raised, by leaving it to its default", parameters: {}, value: "100", primaryIsLast: true },
      { change: "lowered", parameters: { max_connections: 40 }, value: "40", primaryIsLast: false },
    ])("max_connections $change restarts every server, in the right order", async (step) => {
      const before = await startTimes();
      held = { work_mem: "6MB", ...step.parameters };
      await stack.configure(config(held));
      await stack.up();
      expect(await shown("max_connections")).toEqual([step.value, step.value, step.value]);
      const [primary = new Date(0), ...standbys] = await startTimes();
      expect([primary, ...standbys].filter((time, index) => time > (before[index] ?? time))).toHaveLength(NODES.length);
      for (const standby of standbys) expect(primary > standby).toBe(step.primaryIsLast);
      expect(await Promise.all(containers().map(containerId))).toEqual(ids);
      await expectStreaming(stack, "node-1", ["node-2", "node-3"]);
      await stack.expectNoChanges();
    });
  });

  test("with a primary that died while a commit waited, nothing acknowledged is lost, unless writes may go on without", async () => {
    const [primary = "", ...standbys] = containers();
    await docker("stop", ...standbys);
    const commit = psqlIn(primary, "CREATE TABLE confirmed_by_nobody_yet ()").catch(String);
    const waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    await expect.poll(() => psqlIn(primary, waiting), { timeout: 30_000 }).toBe("1");
    await docker("kill", primary);
    await commit;
    await docker("start", ...standbys);
    await stack.configure({ ...config(held), primary: "node-2" });
    expect(await stack.succeed(["preview"])).toContain(
      "Replication was synchronous: no acknowledged row is among them",
    );
    const synchronous = { mode: "quorum", count: 1, whenStandbyMissing: "degrade" };
    await stack.configure({ ...config({}), primary: "node-2", replication: { synchronous } });
    const { exitCode, output } = await stack.pulumi(["preview"]);
    expect(exitCode).not.toBe(0);
    expect(output).toContain("`acknowledge: { failover: { lostBytes: ");
    await docker("start", primary);
    await expectStreaming(stack, "node-1", ["node-2", "node-3"]);
  });

  inWorld(() => {
    test("degrade: an update that cannot bring standbys back lets writes go on, until all are there again", async () => {
      const synchronous = { mode: "quorum", count: 1, whenStandbyMissing: "degrade" };
      await stack.configure({ ...config(held), replication: { synchronous } });
      const [primary = "", ...standbys] = containers();
      const moveIn = (container: string, from: string, to: string): Promise<string> => {
        const directory = layoutOf(17).dataDirectory;
        const command = ["postgres:17", `${directory}/${from}`, `${directory}/${to}`];
        return docker("run", "--rm", "--volumes-from", container, "--entrypoint", "mv", ...command);
      };
      await docker("stop", ...standbys);
      await Promise.all(standbys.map((container) => moveIn(container, "pg_wal", "pg_wal.away")));
      const commit = psqlIn(primary, "CREATE TABLE confirmed_by_nobody ()");

      const output = await stack.failingUp();
      expect(output).toMatch(/commits wait for 1 of node-2, node-3, and 0 can confirm them; 1 commit waits/);
      expect(output).toContain("Until the others stream again, commits wait for no standby");
      await commit;
      const { condition, problems } = await statusOf(stack);
      expect(condition).toBe("degraded");
      expect(problems.map(({ kind }) => kind)).toContain("synchronous-degraded");

      await docker("stop", ...standbys);
      await Promise.all(standbys.map((container) => moveIn(container, "pg_wal.away", "pg_wal")));
      await stack.up();
      expect(await psqlIn(primary, "SHOW synchronous_standby_names")).toBe('ANY 1 ("node-2", "node-3")');
      const senders = await sendersOn(primary);
      expect(senders.map(({ syncState }) => syncState)).toEqual(["quorum", "quorum"]);
      await stack.expectNoChanges();
    });
  });
});
