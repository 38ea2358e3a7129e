import { afterAll, beforeAll, expect, test } from "vitest";
import { execa } from "execa";
import { freePorts } from "../support/ports.ts";
import { TestStack } from "../support/stack.ts";

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

test("more connections: standbys restart first, the primary last, and preview says so", async () => {
  await configure({ work_mem: "16MB", max_connections: 150 });
  expect(await stack.succeed(["preview"])).toContain("rolling restart: node-2, node-1 (max_connections)");
  await stack.up();
  expect(await onAll("SHOW max_connections")).toEqual(["150", "150"]);
  const [primary = "", standby = ""] = await onAll("SELECT extract(epoch FROM pg_postmaster_start_time())");
  expect(Number(standby)).toBeLessThan(Number(primary));
});

test("fewer connections: the primary restarts first, and preview says so", async () => {
  await configure({ work_mem: "16MB", max_connections: 60 });
  expect(await stack.succeed(["preview"])).toContain("rolling restart: node-1, node-2 (max_connections)");
  await stack.up();
  expect(await onAll("SHOW max_connections")).toEqual(["60", "60"]);
  const [primary = "", standby = ""] = await onAll("SELECT extract(epoch FROM pg_postmaster_start_time())");
  expect(Number(primary)).toBeLessThan(Number(standby));
  expect(await ask("node-1", "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")).toBe("1");
  await stack.expectNoChanges();
});
