import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { docker, volumesOf } from "../support/containers.ts";
import { update } from "../support/changes.ts";
import { freePorts } from "../support/ports.ts";
import { PROJECT_DIRECTORY } from "../support/project.ts";
import { psqlIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";

let stack: TestStack;
let config: (part?: StackConfig) => StackConfig;
let volume: (what: string) => string;

beforeAll(async () => {
  const nodes = (await freePorts(3)).map((port, index) => ({ name: `node-${index + 1}`, port }));
  config = (part = {}) => ({
    primary: "node-1",
    nodes,
    replication: { synchronous: { mode: "quorum", count: 1 } },
    archiving: { enabled: true },
    ...part,
  });
  stack = await TestStack.create(config());
  volume = (what) => stack.container(what);
  await stack.up();
  await psqlIn(stack.container("node-1"), "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS number");
});
afterAll(() => stack.dispose());

const refused = async (part: StackConfig, ...words: string[]): Promise<void> => {
  await stack.configure(config(part));
  const preview = await stack.pulumi(["preview"]);
  expect(preview.exitCode, preview.output).not.toBe(0);
  for (const word of words) expect(preview.output).toContain(word);
};

const without = (...names: string[]): StackConfig => {
  const { nodes } = config() as { nodes: { name: string }[] };
  return { nodes: nodes.filter(({ name }) => !names.includes(name)) };
};

test("fewer standbys to wait for, and no archive, are refused until the stack file acknowledges exactly that", async () => {
  const asynchronous = { replication: { synchronous: { mode: "async" } } };
  const noArchive = { archiving: { enabled: false } };
  await refused(
    { ...asynchronous, ...noArchive },
    "a write would wait for no standby instead of 1",
    "acknowledge: { synchronous: true }",
    `the volume ${volume("archive")} would be deleted: it holds the archived WAL`,
    `acknowledge: { volumes: [${volume("archive")}] }`,
  );
  await refused(
    { ...noArchive, acknowledge: { synchronous: true } },
    `the volume ${volume("archive")} would be deleted`,
  );
  await stack.configure(config({ ...asynchronous, ...noArchive }));
  expect(await stack.failingUp()).toContain("a write would wait for no standby");

  await stack.configure(config({ ...asynchronous, acknowledge: { synchronous: true } }));
  await update(stack);
  expect(await psqlIn(stack.container("node-1"), "SHOW synchronous_standby_names")).toBe("");
});

test("an acknowledgement counts once: the next update warns of it, and a second loss is refused", async () => {
  const acknowledge = { synchronous: true };
  await stack.configure(config({ acknowledge }));
  const { messages } = await update(stack);
  expect(messages.join("\n")).toContain("acknowledge.synchronous has been used, and counts once");
  await refused({ replication: { synchronous: { mode: "async" } }, acknowledge }, "a write would wait for no standby");

  await stack.configure(config());
  await stack.expectNoChanges();
});

test("a standby leaves without being asked for, and one that was promoted does not", async () => {
  // Out of reach of the others: the guard of node-1 would stop it beside a newer primary.
  await docker("network", "disconnect", stack.container("network"), stack.container("node-3"));
  await psqlIn(stack.container("node-3"), "SELECT pg_promote()");
  await refused(
    without("node-3"),
    `the volume ${volume("node-3-data")} would be deleted: node-3 is no standby but a primary on timeline 2`,
  );
  await docker("stop", stack.container("node-3"));
  await refused(without("node-3"), "node-3 is no standby but a primary");

  await docker("stop", stack.container("node-1"));
  await refused(without("node-2"), "node-1, which stays, does not answer as the primary");
  await docker("start", stack.container("node-1"));

  const acknowledge = { volumes: [volume("node-3-data")] };
  await stack.configure(config({ ...without("node-3"), acknowledge }));
  await stack.up();
  await stack.configure(
    config({ ...without("node-3", "node-2"), replication: {}, acknowledge: { synchronous: true } }),
  );
  await stack.up();
  expect(await volumesOf(stack)).toEqual(["archive", "node-1-configuration", "node-1-data"].map(volume));
  expect(await psqlIn(stack.container("node-1"), "SELECT count(*) FROM kept")).toBe("1000");
});

test("a stack that is renamed is refused, with its volumes untouched", async () => {
  const alone = { ...without("node-2", "node-3"), replication: {} };
  await stack.configure(config(alone));
  const before = await docker("volume", "inspect", "--format", "{{.CreatedAt}}", volume("node-1-data"));
  const options = { cwd: PROJECT_DIRECTORY, env: stack.environment, all: true, reject: false } as const;
  const other = `${stack.name}x`;
  await execa("pulumi", ["stack", "rename", other, "--stack", stack.name, "--non-interactive"], options);
  const preview = ["preview", "--stack", other, "--config-file", stack.configFile, "--non-interactive"];
  const { exitCode, all } = await execa("pulumi", preview, options);
  expect(exitCode, all).not.toBe(0);
  expect(all).toContain(`the stack was ${stack.name} and is now ${other}: all volumes would be deleted`);
  expect(await docker("volume", "inspect", "--format", "{{.CreatedAt}}", volume("node-1-data"))).toBe(before);
});
