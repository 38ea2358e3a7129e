import { afterAll, beforeAll, expect, test } from "vitest";
import { ROLE_LOCK, dropRoleIfUnused, ensureRole } from "../../operations/roles.ts";
import { update } from "../support/changes.ts";
import { psqlRefusal } from "../support/clients.ts";
import { logOf } from "../support/containers.ts";
import { ownerLogin, passwordInState } from "../support/outputs.ts";
import type { StackOutputs } from "../support/outputs.ts";
import { freePorts } from "../support/ports.ts";
import { expectStreaming } from "../support/replication-checks.ts";
import { psqlIn, refusal, rowsIn, rowsOf, startTimeIn } from "../support/servers.ts";
import type { Login } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";
import { inWorld } from "../support/world.ts";

const IMAGE = "postgres:17";
const NODES = ["node-1", "node-2"];

let stack: TestStack;
let config: StackConfig;
let owner: Login;
let operator: Login;
let replication: Login;
let primary: string;

beforeAll(async () => {
  const ports = await freePorts(NODES.length);
  config = { primary: "node-1", nodes: NODES.map((name, index) => ({ name, port: ports[index] })) };
  stack = await TestStack.create(config);
  await stack.up();
  primary = stack.container("node-1");
  owner = ownerLogin(await stack.outputs<StackOutputs>(), "node-1");
  const [operatorPassword, replicationPassword] = await Promise.all([
    passwordInState(stack, "operator"),
    passwordInState(stack, "replication"),
  ]);
  operator = { ...owner, user: "pgtopology", password: operatorPassword, database: "postgres" };
  replication = { ...owner, user: "repuser", password: replicationPassword };
});
afterAll(() => stack.dispose());

test("the roles have what they need and no more", async () => {
  const roles = await rowsIn(
    primary,
    `SELECT rolname AS name, rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls AS powerful,
            rolreplication AS replication, rolconnlimit AS limit
     FROM pg_roles WHERE rolcanlogin AND rolname <> 'postgres' ORDER BY rolname`,
  );
  expect(roles).toEqual([
    { name: "app", powerful: false, replication: false, limit: -1 },
    { name: "pgtopology", powerful: false, replication: true, limit: -1 },
    { name: "repuser", powerful: false, replication: true, limit: 10 },
  ]);
});

test("the superuser has no password, and nobody's is stored as anything but a SCRAM verifier", async () => {
  const stored = await rowsIn(
    primary,
    "SELECT rolname AS name, split_part(rolpassword, '$', 1) AS kind FROM pg_authid",
  );
  const passwords = (stored as { name: string; kind: string | null }[]).filter(({ kind }) => kind !== null);
  expect(passwords.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
    { name: "app", kind: "SCRAM-SHA-256" },
    { name: "pgtopology", kind: "SCRAM-SHA-256" },
    { name: "repuser", kind: "SCRAM-SHA-256" },
  ]);
});

test.each(NODES)("%s refuses whoever has no business there, and says why", async (node) => {
  const here = (login: Login): Login => ({ ...login, port: portOf(node) });
  const rejected = (user: string, database: string): RegExp =>
    new RegExp(`pg_hba.conf rejects connection for host ".+", user "${user}", database "${database}"`);

  expect(await refusal({ ...here(owner), certificateAuthority: null })).toMatch(/rejects connection.*no encryption/);
  expect(await refusal({ ...here(owner), password: "wrong" })).toBe('password authentication failed for user "app"');
  expect(await refusal({ ...here(owner), user: "postgres" })).toMatch(rejected("postgres", "app"));
  expect(await refusal({ ...here(replication), database: "app" })).toMatch(rejected("repuser", "app"));
  expect(await refusal({ ...here(operator), database: "app" })).toMatch(rejected("pgtopology", "app"));
  expect(await refusal({ ...here(owner), database: "postgres" })).toContain("no pg_hba.conf entry");
});

test("the operator takes no base backup", async () => {
  const { user, password, port } = operator;
  const connection = `host=127.0.0.1 port=${port} user=${user} password=${password} replication=true sslmode=require`;
  expect(await psqlRefusal(IMAGE, connection)).toContain("no pg_hba.conf entry for replication connection");
});

test("a client that insists on MD5 is not let in", async () => {
  const { user, password, port, database } = owner;
  const connection = `host=127.0.0.1 port=${port} user=${user} password=${password} dbname=${database} require_auth=md5`;
  expect(await psqlRefusal(IMAGE, connection)).toContain("server requested SASL authentication");
});

test.each(NODES)("%s speaks no TLS older than 1.2", async (node) => {
  expect(await psqlIn(stack.container(node), "SHOW ssl_min_protocol_version")).toBe("TLSv1.2");
});

test("the operator sees replication, but no table, no file and no other role's rights", async () => {
  await psqlIn(primary, "CREATE TABLE payroll (salary int)");
  expect(await rowsOf(operator, "SELECT application_name FROM pg_stat_replication")).toEqual([
    { application_name: "node-2" },
  ]);
  const forbidden = [
    "SELECT * FROM payroll",
    "CREATE ROLE friend",
    "ALTER ROLE app SUPERUSER",
    "SET ROLE postgres",
    "SELECT pg_read_file('/etc/pg-topology/passfile')",
    "COPY (SELECT 1) TO PROGRAM 'cat'",
    "CREATE TABLE mine ()",
    "ALTER SYSTEM SET archive_command = 'false'",
  ];
  for (const statement of forbidden) await expect(rowsOf(operator, statement)).rejects.toThrow("permission denied");
});

test("an access rule of the stack file lets in whom it names, by a reload", async () => {
  const startTime = await startTimeIn(primary);
  await psqlIn(primary, "CREATE ROLE analyst LOGIN PASSWORD 'reads numbers'");
  await psqlIn(primary, "SET password_encryption = 'md5'; CREATE ROLE legacy LOGIN PASSWORD 'from long ago'");
  const analyst = { ...owner, user: "analyst", password: "reads numbers" };
  const legacy = { ...owner, user: "legacy", password: "from long ago" };
  expect(await refusal(analyst)).toContain("no pg_hba.conf entry for host");

  const accessRules = ["analyst", "legacy"].map((user) => ({ database: "app", user, address: "samenet" }));
  await stack.configure({ ...config, accessRules });
  expect(await stack.succeed(["preview"])).toContain("reload, 0 restarts: access rules");
  expect((await update(stack)).changes.map(({ name }) => name)).toEqual(["topology"]);

  expect(await rowsOf(analyst, "SELECT current_user AS name")).toEqual([{ name: "analyst" }]);
  expect(await refusal({ ...analyst, certificateAuthority: null })).toContain("no encryption");
  expect(await refusal({ ...analyst, database: "postgres" })).toContain("no pg_hba.conf entry");
  expect(await refusal(legacy)).toBe('password authentication failed for user "legacy"');
  expect(await logOf(primary)).toContain('User "legacy" does not have a valid SCRAM secret.');
  expect(await startTimeIn(primary)).toBe(startTime);
});

inWorld(() => {
  test("roles under other names: the old one goes, unless something belongs to it", async () => {
    await rowsOf(owner, "CREATE TABLE orders (item text)");
    const database = { name: "app", owner: "shop" };
    await stack.configure({ ...config, database, replication: { user: "streamer" } });
    const { messages } = await update(stack);
    expect(messages).toContainEqual(
      expect.stringContaining("the role app stays: something in the database belongs to it"),
    );

    const roles =
      "SELECT rolname AS name FROM pg_roles WHERE rolname IN ('app', 'shop', 'repuser', 'streamer') ORDER BY 1";
    expect(await rowsIn(primary, roles)).toEqual([{ name: "app" }, { name: "shop" }, { name: "streamer" }]);
    const senders = "SELECT usename AS name FROM pg_stat_replication";
    await expect.poll(() => rowsIn(primary, senders), { timeout: 30_000 }).toEqual([{ name: "streamer" }]);
    await expectStreaming(stack, "node-1", ["node-2"]);
    await stack.expectNoChanges();
  });
});

const portOf = (node: string): number => {
  const nodes = config["nodes"] as { name: string; port: number }[];
  return nodes.find(({ name }) => name === node)?.port ?? 0;
};

test("of two roles that are granted the same at the same moment, one waits for the other", async () => {
  const granted = "pg_stat_file(text, boolean)";
  const other = `BEGIN; SELECT pg_advisory_xact_lock(${ROLE_LOCK}); GRANT EXECUTE ON FUNCTION ${granted} TO app; SELECT pg_sleep(3); REVOKE EXECUTE ON FUNCTION ${granted} FROM app; COMMIT`;
  const otherDone = psqlIn(primary, other);
  const asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
  await expect.poll(() => psqlIn(primary, asleep)).toBe("1");
  const node = { name: "node-1", container: primary };
  const role = {
    name: "beside",
    replication: false,
    connectionLimit: -1,
    memberOf: [],
    executes: [granted],
    reads: [],
  };
  await ensureRole([node], role, "correct horse battery");
  await otherDone;
  expect(await psqlIn(primary, `SELECT has_function_privilege('beside', '${granted}', 'EXECUTE')`)).toBe("t");
  expect(await dropRoleIfUnused([node], role)).toBe(true);
});
