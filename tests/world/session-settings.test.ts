import { afterAll, beforeAll, expect, test } from "vitest";
import { expectStreaming } from "../support/replication-checks.ts";
import { freePorts } from "../support/ports.ts";
import { psqlIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";

/** Each would end sessions of the topology itself, or change what they answer, if it held for them. */
const FOR_USERS = {
  statement_timeout: "1ms",
  lock_timeout: "1ms",
  idle_in_transaction_session_timeout: "1ms",
  idle_session_timeout: "1ms",
  transaction_timeout: "1s",
  default_transaction_isolation: "serializable",
  default_transaction_deferrable: "on",
  search_path: "nowhere",
  datestyle: "SQL, DMY",
  exit_on_error: "on",
};

let stack: TestStack;
let config: StackConfig;

beforeAll(async () => {
  const nodes = (await freePorts(3)).map((port, index) => ({ name: `node-${index + 1}`, port }));
  config = { primary: "node-1", nodes: nodes.slice(0, 2), parameters: FOR_USERS };
  stack = await TestStack.create(config);
  await stack.up();
  config = { ...config, nodes };
});
afterAll(() => stack.dispose());

const inServer = (node: string, sql: string): Promise<string> => psqlIn(stack.container(node), sql);

test("settings for the sessions of users hold for them, and an update comes to its end", async () => {
  expect(await inServer("node-2", "SHOW default_transaction_isolation")).toBe("serializable");
  await expectStreaming(stack, "node-1", ["node-2"]);
  await stack.expectNoChanges();
});

test("what is set for the topology's own roles and databases does not hold for it either", async () => {
  const set = "statement_timeout = '1ms'; ";
  await inServer(
    "node-1",
    `SET default_transaction_read_only = off; ALTER ROLE pgtopology SET ${set} ALTER ROLE postgres SET ${set} ALTER DATABASE postgres SET default_transaction_read_only = on`,
  );
  await stack.expectNoChanges();
});

test("a node joins, parameters change, and another becomes the primary", async () => {
  await stack.configure({ ...config, parameters: { ...FOR_USERS, max_connections: 150 } });
  await stack.up();
  await stack.expectNoChanges();
  await stack.configure({ ...config, primary: "node-2", parameters: { ...FOR_USERS, max_connections: 150 } });
  await stack.up();
  await expectStreaming(stack, "node-2", ["node-1", "node-3"]);
  await stack.expectNoChanges();
});
