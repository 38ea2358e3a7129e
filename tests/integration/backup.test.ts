import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { shellIn } from "../support/containers.ts";
import { freePorts } from "../support/ports.ts";
import { PROJECT_DIRECTORY } from "../support/project.ts";
import { psqlIn, rowsIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { CommandResult, StackConfig } from "../support/stack.ts";

let stack: TestStack;
let primary: string;
let barman: string;
let config: StackConfig;

beforeAll(async () => {
  const [first, second] = await freePorts(2);
  config = {
    primary: "node-1",
    nodes: [
      { name: "node-1", port: first },
      { name: "node-2", port: second },
    ],
    backup: { enabled: true },
  };
  stack = await TestStack.create(config);
  await stack.up();
  [primary, barman] = [stack.container("node-1"), stack.container("barman")];
});
afterAll(() => stack.dispose());

/** A command as a person runs it: `npm run NAME -- ARGS`. */
async function run(name: "backup" | "restore", ...args: string[]): Promise<CommandResult> {
  const command = [`commands/${name}.ts`, "--stack", stack.name, ...args];
  const { exitCode = -1, all } = await execa("node", command, { cwd: PROJECT_DIRECTORY, all: true, reject: false });
  return { exitCode, output: all };
}

const backup = (...args: string[]): Promise<CommandResult> => run("backup", ...args);

interface ListedBackup {
  readonly backup_id: string;
  readonly status: string;
}

async function backups(): Promise<readonly ListedBackup[]> {
  const json = await shellIn(barman, "barman -f json list-backups all");
  return Object.values(JSON.parse(json) as Record<string, readonly ListedBackup[]>).flat();
}

test("an update ends with a base backup that can be restored, and nothing is left to do", async () => {
  expect((await backups()).map(({ status }) => status)).toEqual(["DONE"]);
  expect(await backup("check")).toMatchObject({ exitCode: 0 });
  await stack.expectNoChanges();
  await stack.expectNoChanges("--refresh");
});

test("Barman streams over TLS from its own slot, with no more rights than it needs", async () => {
  const [sender] = await rowsIn(
    primary,
    `SELECT usename, slot_name, ssl FROM pg_stat_replication JOIN pg_stat_ssl USING (pid)
     JOIN pg_replication_slots ON active_pid = pid WHERE application_name = 'barman_receive_wal'`,
  );
  expect(sender).toEqual({ usename: "streaming_barman", slot_name: "barman", ssl: true });
  const roles = await rowsIn(primary, "SELECT rolname, rolsuper FROM pg_roles WHERE rolname ~ 'barman' ORDER BY 1");
  expect(roles).toEqual([
    { rolname: "barman", rolsuper: false },
    { rolname: "streaming_barman", rolsuper: false },
  ]);
  const readsTables = "SELECT has_table_privilege('barman', 'pg_authid', 'SELECT')";
  expect(await psqlIn(primary, readsTables)).toBe("f");
});
