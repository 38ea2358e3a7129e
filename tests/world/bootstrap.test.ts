import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { containersOf, docker, shellIn, volumesOf } from "../support/containers.ts";
import { expectConverged } from "../support/convergence.ts";
import { ownerLogin } from "../support/outputs.ts";
import type { StackOutputs } from "../support/outputs.ts";
import { freePorts } from "../support/ports.ts";
import { PROJECT_DIRECTORY } from "../support/project.ts";
import { psqlIn, rowsOf } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";

const HASH = "SELECT count(*), md5(string_agg(id || note, ',' ORDER BY id)) FROM orders";

let source: TestStack;
let sourceConfig: StackConfig;
let other: TestStack;
let otherConfig: StackConfig;
/** What was in the table, and when. */
let before: { readonly hash: string; readonly moment: string };

/** Everything that is written to it, Barman has before the client is told. */
beforeAll(async () => {
  const ports = await freePorts(4);
  const nodes = ports.map((port, index) => ({ name: `node-${(index % 2) + 1}`, port }));
  sourceConfig = {
    primary: "node-1",
    nodes: nodes.slice(0, 2),
    replication: { synchronous: { mode: "priority", count: 1, includeBackup: true } },
    backup: { enabled: true, from: "standby" },
  };
  otherConfig = { primary: "node-1", nodes: nodes.slice(2), database: { name: "app", owner: "reader" } };
  [source, other] = await Promise.all([TestStack.create(sourceConfig), TestStack.create(otherConfig)]);
  await source.up();
  await app("CREATE TABLE orders (id serial PRIMARY KEY, note text)");
  await app("INSERT INTO orders (note) SELECT md5(n::text) FROM generate_series(1, 5000) AS n");
  before = { hash: await app(HASH), moment: await app("SELECT clock_timestamp()") };
  await app("DELETE FROM orders WHERE id > 10");
});
afterAll(() => Promise.all([source.dispose(), other.dispose()]));

const app = (sql: string, stack: TestStack = source): Promise<string> => psqlIn(stack.container("node-1"), sql, "app");
const backups = (): Promise<string> => shellIn(source.container("barman"), "ls /var/lib/barman/*/base");
const timelineOf = async (stack: TestStack): Promise<number> => (await stack.outputs<StackOutputs>()).timeline;

test("backups that there are not are refused by a preview, before anything is made", async () => {
  const refusal = async (from: object): Promise<string> => {
    await other.configure({ ...otherConfig, bootstrap: { from } });
    const { exitCode, output } = await other.pulumi(["preview"]);
    expect(exitCode).not.toBe(0);
    return output;
  };
  const unknown = await refusal({ stack: "nobodys" });
  expect(unknown).toContain("the stack nobodys has no backups on this engine");
  expect(unknown).toContain(source.name);
  expect(await refusal({ stack: source.name, at: "2020-01-01 00:00:00+00" })).toContain(
    "is before the end of the first backup",
  );
  expect(await volumesOf(other)).toEqual([]);
});

test("another stack is founded from backups as of a moment, and the stack that they are of goes on as it was", async () => {
  const taken = await backups();
  await other.configure({ ...otherConfig, bootstrap: { from: { stack: source.name, at: before.moment } } });
  expect(await other.succeed(["preview"])).toMatch(/node-1 is founded from the backup \d+T\d+ of the stack/);
  await other.up();
  expect(await app(HASH, other)).toBe(before.hash);
  await expectConverged(other, ["node-1", "node-2"]);
  expect(await timelineOf(other)).toBe(2);
  const outputs = await other.outputs<StackOutputs>();
  expect(await rowsOf(ownerLogin(outputs, "node-1"), "SELECT current_user")).toEqual([{ current_user: "reader" }]);

  await other.configure(otherConfig);
  await other.expectNoChanges();
  await source.expectNoChanges();
  expect([await timelineOf(source), await backups()]).toEqual([1, taken]);
});

/** Nothing is left of the stack but what its backup server had. */
async function disaster(stack: TestStack): Promise<void> {
  await docker("rm", "--force", "--volumes", ...(await containersOf(stack)));
  const lost = (await volumesOf(stack)).filter((volume) => volume !== `${stack.container("barman")}-data`);
  await docker("volume", "rm", ...lost);
}

test("after the loss of all nodes one line of the stack file brings back everything that was acknowledged", async () => {
  await app("INSERT INTO orders (note) VALUES ('the last one')");
  const [hash, taken] = [await app(HASH), await backups()];
  await disaster(source);
  await source.configure({ ...sourceConfig, bootstrap: { from: { stack: source.name } } });
  await source.up("--refresh");
  expect(await app(HASH)).toBe(hash);
  const { replication } = await source.outputs<StackOutputs>();
  expect(replication).toMatchObject([{ node: "node-2", state: "streaming", syncState: "sync" }]);
  expect(await timelineOf(source)).toBe(2);
  expect(await backups()).toBe(taken);
  await source.expectNoChanges();
});

test("the same to an earlier moment, from where the backup server goes on with a backup of its own", async () => {
  await execa("node", ["commands/backup.ts", "--stack", source.name, "now"], { cwd: PROJECT_DIRECTORY });
  const ofThatTime = await backups();
  await disaster(source);
  await source.configure({ ...sourceConfig, bootstrap: { from: { stack: source.name, at: before.moment } } });
  await source.up("--refresh");
  expect(await app(HASH)).toBe(before.hash);
  expect(await backups()).toMatch(new RegExp(`^${ofThatTime}\n\\w+$`));
  await source.expectNoChanges();
});
