import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { companyAuthority } from "../support/company-authority.ts";
import { containerId, docker, shellIn } from "../support/containers.ts";
import { letAuthorityBeOver, letCertificateBeOver, letCertificateEndSoon } from "../support/ending-certificate.ts";
import { Ledger } from "../support/ledger.ts";
import { freePorts } from "../support/ports.ts";
import { psqlIn, refusal, rowsOf, startTimeIn, withClient } from "../support/servers.ts";
import type { Login } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";
import { inWorld } from "../support/world.ts";

const NODES = ["node-1", "node-2", "node-3"] as const;

const DAY_MILLISECONDS = 24 * 60 * 60 * 1000;

let stack: TestStack;
let ports: readonly number[];
let ledger: Ledger;
let config: StackConfig;

beforeAll(async () => {
  ports = await freePorts(NODES.length);
  config = { primary: "node-1", nodes: NODES.map((name, index) => ({ name, port: ports[index] })) };
  stack = await TestStack.create(config);
  await stack.up();
  ledger = await Ledger.start((await outputs()).readWriteUri);
});
afterAll(async () => {
  await ledger.stop();
  await stack.dispose();
});

interface Outputs {
  readonly readWriteUri: string;
  readonly certificateAuthority: string;
}

const outputs = (): Promise<Outputs> => stack.outputs<Outputs>();

const configure = async (part: StackConfig): Promise<void> => {
  config = { ...config, ...part };
  await stack.configure(config);
};

/** What a client on this machine logs in with at each node. */
async function ownerLogins(): Promise<Login[]> {
  const { readWriteUri, certificateAuthority } = await outputs();
  const password = decodeURIComponent(/:([^:@]+)@/.exec(readWriteUri)?.[1] ?? "");
  return ports.map((port) => ({
    ...{ host: "127.0.0.1", port, user: "app", password, database: "app" },
    certificateAuthority,
  }));
}

/** The password of the standbys. */
async function replicationPassword(): Promise<string> {
  const passfile = await shellIn(stack.container("node-2"), "cat /etc/pg-topology/passfile");
  return passfile.trim().split(":").at(-1) ?? "";
}

/** What each node answers to a standby that logs in with a password. */
const replicationAnswers = (password: string): Promise<string[]> =>
  Promise.all(
    NODES.map((node) => {
      const conninfo = `host=${node} user=repuser dbname=postgres replication=true sslmode=require`;
      const psql = `PGPASSWORD='${password}' psql -XAtq "${conninfo}" -c IDENTIFY_SYSTEM 2>&1 || true`;
      return shellIn(stack.container("node-2"), psql);
    }),
  );

/** What tells that servers, containers and streaming connections are the same. */
const marks = async (): Promise<string[][]> =>
  Promise.all(
    NODES.map(async (node) => [
      await containerId(stack.container(node)),
      await startTimeIn(stack.container(node)),
      await psqlIn(stack.container(node), "SELECT pid FROM pg_stat_wal_receiver WHERE status = 'streaming'"),
    ]),
  );

const refusals = (logins: readonly Login[]): Promise<string[]> => Promise.all(logins.map(refusal));

async function expectUndisturbed(before: string[][]): Promise<void> {
  expect(await marks()).toEqual(before);
  const { brokenConnections } = ledger.lap();
  expect(brokenConnections).toBe(0);
  expect(await lostRows()).toBe(0);
}

/** Of all rows that were acknowledged since the beginning, the number of those that are not there. */
async function lostRows(): Promise<number> {
  const { acknowledged } = ledger.lap();
  const there = `SELECT count(*) FROM ledger WHERE id = ANY('{${acknowledged.join(",")}}')`;
  return acknowledged.length - Number(await psqlIn(stack.container("node-1"), there, "app"));
}

test("new passwords: nothing restarts, no connection breaks, the old ones are dead on every node", async () => {
  const before = await marks();
  const [owner, replication] = [await ownerLogins(), await replicationPassword()];
  expect(before.map(([, , receiver]) => receiver !== "")).toEqual([false, true, true]);
  await Promise.all(owner.map((login) => rowsOf(login, "SELECT")));

  const second = { version: 2 };
  await configure({ passwords: { owner: second, replication: second, operator: second } });
  const preview = await stack.succeed(["preview"]);
  for (const role of ["app", "repuser", "pgtopology"]) expect(preview).toContain(`new password of ${role}: 0 restarts`);
  expect(preview).not.toContain("does not answer");
  await withClient(owner[0] as Login, async (client) => {
    await stack.up();
    expect((await client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  });

  await expectUndisturbed(before);
  expect(new Set(await refusals(owner))).toEqual(new Set(['password authentication failed for user "app"']));
  for (const answer of await replicationAnswers(replication)) {
    expect(answer).toContain('password authentication failed for user "repuser"');
  }
  await Promise.all((await ownerLogins()).map((login) => rowsOf(login, "SELECT")));
  await stack.expectNoChanges();

  // A standby whose connection breaks comes back with the new password.
  await psqlIn(stack.container("node-2"), "SELECT pg_terminate_backend(pid) FROM pg_stat_wal_receiver");
  const receiver = "SELECT status FROM pg_stat_wal_receiver";
  await expect.poll(() => psqlIn(stack.container("node-2"), receiver), { timeout: 10_000 }).toBe("streaming");
});

inWorld(() => {
  test("another authority: clients of either connect all the time, and nothing restarts", async () => {
    const before = await marks();
    const [first] = await ownerLogins();
    const old = await ownerLogins();
    await configure({ certificateAuthority: { version: 2 } });
    expect(await stack.succeed(["preview"])).toContain("nodes and clients trust both");
    const clients = new Clients(old);
    await stack.up();
    expect(await clients.stop()).toEqual([]);
    await expectUndisturbed(before);

    const both = await ownerLogins();
    const [successor = ""] = both[0]?.certificateAuthority?.split(/(?<=-----END CERTIFICATE-----\n)/) ?? [];
    expect(successor).not.toBe(first?.certificateAuthority);
    const issued = both.map((login) => ({ ...login, certificateAuthority: successor }));
    for (const login of [...old, ...both, ...issued]) await rowsOf(login, "SELECT");
    await stack.expectNoChanges();

    await configure({ certificateAuthority: { version: 2, trustPrevious: false } });
    expect(await stack.succeed(["preview"])).toContain("the authority before is trusted no more");
    const successors = new Clients(issued);
    await stack.up();
    expect(await successors.stop()).toEqual([]);
    await expectUndisturbed(before);
    expect((await outputs()).certificateAuthority).toBe(successor);
    for (const refused of await refusals(old)) expect(refused).toContain("certificate");
    await stack.expectNoChanges();

    await configure({ certificateAuthority: { version: 3, trustPrevious: false } });
    expect(await stack.failingUp()).toContain("every client would be locked out at once");
    await configure({ certificateAuthority: { version: 2, trustPrevious: false } });
  });

  test("an authority of the user's takes the place of the topology's own, and clients of either connect", async () => {
    const before = await marks();
    const old = await ownerLogins();
    const company = await companyAuthority();
    await configure({ certificateAuthority: { version: 3 } });
    await stack.setConfig("ownAuthority.certificate", company.certificatePem);
    await stack.setConfig("ownAuthority.privateKey", company.privateKeyPem, "--secret");
    const clients = new Clients(old);
    await stack.up();
    expect(await clients.stop()).toEqual([]);
    await expectUndisturbed(before);
    for (const login of old) await rowsOf({ ...login, certificateAuthority: company.rootPem }, "SELECT");
    await stack.expectNoChanges();
    expect(await readFile(stack.configFile, "utf8")).not.toContain("PRIVATE KEY");

    // Back again: the company's authority may not vouch for another, which preview says.
    await configure({ certificateAuthority: { version: 4 } });
    expect(await stack.succeed(["preview"])).toContain("clients that trust the one before alone are refused");
    await stack.up();
    for (const login of await ownerLogins()) await rowsOf(login, "SELECT");
    await expectUndisturbed(before);
    await stack.expectNoChanges();
  });
});

test("a certificate that ends soon is issued anew by a reload, and preview says so", async () => {
  const before = await marks();
  await letCertificateEndSoon(stack, "node-2");
  expect(await stack.succeed(["preview"])).toContain("the certificate ends in 9 days: it is issued anew");
  await stack.up();
  const served = new X509Certificate(await shellIn(stack.container("node-2"), "cat /etc/pg-topology/tls/server.crt"));
  expect(Date.parse(served.validTo) - Date.now()).toBeGreaterThan(300 * DAY_MILLISECONDS);
  for (const login of await ownerLogins()) await rowsOf(login, "SELECT");
  await expectUndisturbed(before);
  await stack.expectNoChanges();
});

inWorld(() => {
  test("a certificate that is over is issued anew, although nobody can log in with it, and nothing restarts", async () => {
    const before = await marks();
    await letCertificateBeOver(stack, "node-1");
    await letCertificateBeOver(stack, "node-2");
    const [login] = await ownerLogins();
    expect(await refusal(login as Login)).toContain("certificate has expired");
    const preview = await stack.succeed(["preview"]);
    expect(preview).toContain(
      "the certificate ended 5 days ago: it is issued anew, and the server reads it by a reload",
    );
    expect(preview).not.toContain("does not answer");
    expect(preview).not.toContain("cannot be told");
    await stack.up();
    for (const one of await ownerLogins()) await rowsOf(one, "SELECT");
    expect(await marks()).toEqual(before);
    await stack.expectNoChanges();
  });

  test("an authority that is over, with all certificates that it issued, is replaced by an update", async () => {
    const before = await marks();
    const { certificateAuthority = { version: 1 } } = config;
    const { version } = certificateAuthority as { version: number };
    await letAuthorityBeOver(stack, NODES);
    expect(await stack.succeed(["preview"])).toContain(
      `the certificate authority ended 5 days ago, and with it every certificate that it issued: write \`certificateAuthority: { version: ${version + 1} }\``,
    );
    await configure({ certificateAuthority: { version: version + 1 } });
    await stack.up();
    for (const login of await ownerLogins()) await rowsOf(login, "SELECT");
    expect(await marks()).toEqual(before);
    await psqlIn(stack.container("node-2"), "SELECT pg_terminate_backend(pid) FROM pg_stat_wal_receiver");
    const receiver = "SELECT status FROM pg_stat_wal_receiver";
    await expect.poll(() => psqlIn(stack.container("node-2"), receiver), { timeout: 10_000 }).toBe("streaming");
    await stack.expectNoChanges();
  });
});

/** A login costs both sides tens of milliseconds of computing: TLS, and 4096 rounds of SCRAM. */
const CONNECT_INTERVAL_MILLISECONDS = 400;

/** Clients that connect anew all the time. */
class Clients {
  readonly #failures: string[] = [];
  #stopped = false;
  readonly #running: Promise<unknown>;

  constructor(logins: readonly Login[]) {
    this.#running = Promise.all(logins.map((login) => this.#connect(login)));
  }

  async #connect(login: Login): Promise<void> {
    while (!this.#stopped) {
      await rowsOf(login, "SELECT").catch((error: unknown) => this.#failures.push(String(error)));
      await sleep(CONNECT_INTERVAL_MILLISECONDS);
    }
  }

  /** @returns why connections failed. */
  async stop(): Promise<readonly string[]> {
    this.#stopped = true;
    await this.#running;
    return this.#failures;
  }
}

inWorld(() => {
  describe("what somebody changed by SQL", () => {
    test("a password, what roles may do and a dropped database are found in preview, and put right", async () => {
      const primary = stack.container("node-1");
      await psqlIn(
        primary,
        "ALTER ROLE repuser PASSWORD 'by hand'; CREATE DATABASE other; ALTER DATABASE other OWNER TO app",
      );
      await configure({ database: { name: "other", owner: "app" } });
      await stack.up();
      expect(await stack.succeed(["preview"])).not.toContain("another password");
      await psqlIn(primary, "ALTER ROLE repuser PASSWORD 'by hand'");
      await psqlIn(primary, "DROP DATABASE other");
      await psqlIn(primary, "ALTER ROLE app CREATEDB BYPASSRLS");
      await psqlIn(primary, "ALTER ROLE pgtopology VALID UNTIL '2020-01-01'; REVOKE pg_monitor FROM pgtopology");
      const preview = await stack.succeed(["preview"]);
      expect(preview).toContain("the role repuser has another password: it is altered back");
      expect(preview).toContain("the role app may create databases: it is altered back");
      expect(preview).toContain("the role pgtopology is valid until 2020-01-01");
      expect(preview).toContain("the database other is gone, with all its rows: an empty one is made");
      await stack.up();
      for (const answer of await replicationAnswers(await replicationPassword()))
        expect(answer).not.toContain("failed");
      expect(await psqlIn(primary, "SELECT count(*) FROM pg_database WHERE datname = 'other'")).toBe("1");
      expect(await psqlIn(primary, "SELECT rolcreatedb OR rolbypassrls FROM pg_roles WHERE rolname = 'app'")).toBe("f");
      expect(await psqlIn(primary, "SELECT pg_has_role('pgtopology', 'pg_monitor', 'MEMBER')")).toBe("t");
      await stack.expectNoChanges();
    });
  });
});

inWorld(() => {
  test("a new password while the primary is dead holds up no failover, and the next update makes it good", async () => {
    await docker("kill", stack.container("node-1"));
    const acknowledge = { failover: { lostBytes: 16_777_216 }, rejoin: ["node-1"] };
    const passwords = { ...(config["passwords"] as StackConfig | undefined), owner: { version: 3 } };
    await configure({ primary: "node-2", acknowledge, passwords });
    expect(await stack.up()).toContain("nobody takes writes: the role app is altered by the next update");
    expect(await psqlIn(stack.container("node-2"), "SELECT pg_is_in_recovery()")).toBe("f");

    expect(await stack.succeed(["preview"])).toContain("the role app has another password: it is altered back");
    await stack.up();
    for (const login of await ownerLogins()) await rowsOf(login, "SELECT");
    await stack.expectNoChanges();
  });

  test("so does an owner of another name, and the next update makes it and looks after the one before", async () => {
    await docker("kill", stack.container("node-2"));
    const acknowledge = { failover: { lostBytes: 16_777_216 }, rejoin: ["node-2"] };
    await configure({ primary: "node-1", acknowledge, database: { name: "app", owner: "shop" } });
    const output = await stack.up();
    expect(output).toContain("nobody takes writes: the role shop is altered by the next update");
    expect(output).toContain(
      "nobody takes writes: the database app is made, or given to its owner, by the next update",
    );

    expect(await stack.up()).toContain("the role app stays: something in the database belongs to it");
    const owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'app'";
    expect(await psqlIn(stack.container("node-1"), owner)).toBe("shop");
    await stack.expectNoChanges();
  });
});
