import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { docker, inspect, logOf } from "../support/containers.ts";
import { freePorts } from "../support/ports.ts";
import { expectStreaming } from "../support/replication-checks.ts";
import { psqlIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";

const NODES = ["node-1", "node-2", "node-3"];

let stack: TestStack;
let nodes: { name: string; port: number }[];

const withPrimary = (primary: string, acknowledge: object = {}): StackConfig => ({ primary, nodes, acknowledge });
const sql = (node: string, text: string): Promise<string> => psqlIn(stack.container(node), text, "app");
const isRunning = async (node: string): Promise<boolean> => (await inspect(stack.container(node))).State.Running;
const hasTable = (node: string, table: string): Promise<string> =>
  sql(node, `SELECT count(*) FROM pg_class WHERE relname = '${table}'`);

const PARTED = (timeline: number, primary: number): RegExp =>
  new RegExp(
    `node-3 cannot follow the primary as it is: it wrote \\d+ bytes on timeline ${timeline} that the primary, on timeline ${primary}, does not have.*acknowledge: \\{ rejoin: \\[node-3\\] \\}`,
  );

beforeAll(async () => {
  nodes = (await freePorts(NODES.length)).map((port, index) => ({ name: NODES[index] ?? "", port }));
  stack = await TestStack.create(withPrimary("node-1"));
  await stack.up();
});
afterAll(() => stack.dispose());

describe("a standby that has replayed more of a dead primary than the one in its place", () => {
  const waiting = { rejoin: ["node-1"] };

  test("is known for one, although it has fetched the history that it cannot follow", async () => {
    await docker("stop", stack.container("node-2"));
    await sql("node-1", "CREATE TABLE only_on_3 AS SELECT generate_series(1, 100) AS n");
    await expect.poll(() => hasTable("node-3", "only_on_3")).toBe("1");
    await docker("kill", stack.container("node-1"));
    await docker("start", stack.container("node-2"));
    await expect.poll(() => hasTable("node-2", "only_on_3").catch(String)).toBe("0");
    await sql("node-2", "SELECT pg_promote()");
    const fetched = "SELECT count(*) FROM pg_ls_dir('pg_wal') AS name WHERE name = '00000002.history'";
    await expect.poll(() => sql("node-3", fetched)).toBe("1");

    await stack.configure(withPrimary("node-2", waiting));
    expect((await stack.pulumi(["preview"])).output).toMatch(PARTED(1, 2));
    expect(await stack.failingUp()).toMatch(PARTED(1, 2));
    expect(await psqlIn(stack.container("node-2"), "SELECT pg_is_in_recovery()")).toBe("f");
    expect(await isRunning("node-3")).toBe(false);
  });

  test("also while it is stopped", async () => {
    expect((await stack.pulumi(["preview"])).output).toMatch(PARTED(1, 2));
    expect(await stack.failingUp()).toMatch(PARTED(1, 2));
    expect(await isRunning("node-3")).toBe(false);
  });

  test("also where its server refuses to start with that history", async () => {
    await docker("start", stack.container("node-3"));
    await expect
      .poll(() => logOf(stack.container("node-3")))
      .toMatch(/requested timeline 2 (is not a child|does not contain)/);
    expect(await stack.failingUp()).toMatch(PARTED(1, 2));
  });

  test("acknowledged, it follows, and nothing is left to do", async () => {
    await stack.configure(withPrimary("node-2", { rejoin: ["node-1", "node-3"] }));
    expect(await stack.succeed(["preview"])).toMatch(/node-3 rejoins by pg_rewind/);
    expect(await stack.up()).toContain("node-3 follows the primary by pg_rewind");
    await expectStreaming(stack, "node-2", ["node-1", "node-3"]);
    expect(await hasTable("node-3", "only_on_3")).toBe("0");
    await stack.configure(withPrimary("node-2"));
    await stack.expectNoChanges();
  });
});

describe("a standby that was promoted by hand while it was cut off, given rows, and made a standby again", () => {
  beforeAll(async () => {
    const container = stack.container("node-3");
    const network = `pg-topology-${stack.name}-network`;
    await docker("network", "disconnect", network, container);
    await sql("node-3", "SELECT pg_promote()");
    await sql("node-3", "CREATE TABLE of_its_own AS SELECT generate_series(1, 100) AS n");
    await docker("stop", container);
    const signal = "/var/lib/postgresql/data/pgdata/standby.signal";
    const touch = `touch ${signal} && chown postgres: ${signal}`;
    await docker("run", "--rm", "--volumes-from", container, "--entrypoint", "sh", "postgres:17", "-c", touch);
    await docker("network", "connect", "--alias", "node-3", network, container);
  });

  test("is told of, and not started: the primary would take it for a newer one", async () => {
    expect((await stack.pulumi(["preview"])).output).toMatch(PARTED(3, 2));
    expect(await stack.failingUp()).toMatch(PARTED(3, 2));
    expect(await isRunning("node-3")).toBe(false);
    expect(await psqlIn(stack.container("node-2"), "SELECT pg_is_in_recovery()")).toBe("f");
  });

  test("acknowledged, it follows, and nothing is left to do", async () => {
    await stack.configure(withPrimary("node-2", { rejoin: ["node-3"] }));
    await stack.up();
    await expectStreaming(stack, "node-2", ["node-1", "node-3"]);
    expect(await hasTable("node-3", "of_its_own")).toBe("0");
    await stack.configure(withPrimary("node-2"));
    await stack.expectNoChanges();
  });
});
