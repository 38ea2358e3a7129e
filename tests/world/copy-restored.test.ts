import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { copyRestored, requireCopyable } from "../../operations/copy-restored.ts";
import type { Copy } from "../../operations/copy-restored.ts";
import type { Node } from "../../operations/node.ts";
import { docker } from "../support/containers.ts";
import { psqlIn } from "../support/servers.ts";

/** Two servers that are nobody's: one as it was, and the one that is written to. */
const suffix = randomBytes(3).toString("hex");
const [restored, primary] = ["restored", "primary"].map((name) => `pg-topology-test-${suffix}-${name}`) as [
  string,
  string,
];
const node = (container: string): Node => ({ name: container, container });

beforeAll(async () => {
  for (const container of [restored, primary]) {
    await docker("run", "--detach", "--name", container, "--env", "POSTGRES_PASSWORD=x", "postgres:17");
  }
  for (const container of [restored, primary]) {
    const ready = () => docker("exec", container, "pg_isready", "-q", "-h", "127.0.0.1");
    await vi.waitFor(ready, { timeout: 60_000, interval: 250 });
  }
});
afterAll(() => docker("rm", "--force", "--volumes", restored, primary));

const LEDGER = `
CREATE TABLE orders (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE orders_2025 PARTITION OF orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE orders_2026 PARTITION OF orders FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO orders SELECT n, date '2025-06-01' + n FROM generate_series(1, 400) AS n;
CREATE TABLE people (name text);
CREATE TABLE staff (wage int) INHERITS (people);
INSERT INTO staff VALUES ('Ada', 1), ('Bob', 2);
CREATE TABLE items (id int PRIMARY KEY, price int);
INSERT INTO items SELECT n, n * 10 FROM generate_series(1, 50) AS n;
CREATE TABLE lines (item int REFERENCES items, boss int);
CREATE VIEW dear AS SELECT id FROM items WHERE price > 100;
CREATE TABLE alone (id serial PRIMARY KEY, up int REFERENCES alone, note text);
INSERT INTO alone (up, note) SELECT 1, md5(n::text) FROM generate_series(1, 20) AS n;
`;

/** Both have the same, but for what was done to the primary since. */
beforeEach(async () => {
  for (const container of [restored, primary]) {
    await psqlIn(container, `DROP DATABASE IF EXISTS shop WITH (FORCE);\nCREATE DATABASE shop;`);
    await psqlIn(container, LEDGER, "shop");
  }
});

const shop = (sql: string): Promise<string> => psqlIn(primary, sql, "shop");
const ROWS = `SELECT count(*) FROM orders UNION ALL SELECT count(*) FROM people UNION ALL SELECT count(*) FROM items
  UNION ALL SELECT count(*) FROM dear`;
const SCHEMAS =
  "SELECT string_agg(nspname, ' ' ORDER BY nspname) FROM pg_namespace WHERE nspname !~ '^pg_|information'";

const table = (name: string, into: string | null = null): Copy => ({ database: "shop", table: name, into });
const required = (copy: Copy): Promise<void> => requireCopyable([node(primary)], copy);
const copied = (copy: Copy): Promise<void> => copyRestored(node(restored), [node(primary)], copy);

test.each([
  ["public.orders", "public.orders is partitioned: it cannot be restored by itself"],
  ["public.orders_2025", "public.orders_2025 is a partition of public.orders"],
  ["public.people", "public.people has tables that inherit from it"],
  ["public.staff", "public.staff inherits from another table"],
  ["public.dear", "public.dear is no table"],
])(
  "%s is not put in the place of the one that is there, and not copied beside it: nothing is touched",
  async (name, words) => {
    await expect(required(table(name))).rejects.toThrow(words);
    for (const into of [null, "beside"]) await expect(copied(table(name, into))).rejects.toThrow(words);
    expect(await shop(ROWS)).toBe("400\n2\n50\n40");
    expect(await shop(SCHEMAS)).toBe("public");
  },
);

test("what others depend on is not replaced, and they are named", async () => {
  await shop("CREATE PUBLICATION outside FOR TABLE items");
  await expect(required(table("public.items"))).rejects.toThrow(
    "depend on the one that is there: constraint lines_item_fkey on table public.lines, publication outside, view public.dear.",
  );
  await required(table("public.items", "beside"));
  await copied(table("public.items", "beside"));
  expect(await shop("SELECT count(*) FROM beside.items")).toBe("50");
});

test("a table that depends on itself only is put back, with its sequence", async () => {
  const hash = "SELECT count(*), md5(string_agg(id || note, ',' ORDER BY id)) FROM alone";
  const before = await shop(hash);
  await shop("UPDATE alone SET note = 'spoiled'");
  await required(table("public.alone"));
  await copied(table("public.alone"));
  expect(await shop(hash)).toBe(before);
  expect(await shop("INSERT INTO alone (note) VALUES ('next') RETURNING id")).toBe("21");
  expect(await shop(SCHEMAS)).toBe("public");
});

test("a table that was not there is no table to be copied", async () => {
  await expect(copied(table("public.nobodys"))).rejects.toThrow(
    "There was no table public.nobodys in shop at that moment.",
  );
});

test("what a copy that was interrupted has left, or somebody has made, is not dropped unasked", async () => {
  await shop("CREATE SCHEMA alone_restoring");
  await expect(required(table("public.alone"))).rejects.toThrow("There is a schema alone_restoring in shop, as a copy");
});

test("a database comes back with the locale that it had", async () => {
  await psqlIn(
    restored,
    "DROP DATABASE shop WITH (FORCE);\nCREATE DATABASE shop TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de-AT'",
  );
  await copyRestored(node(restored), [node(primary)], { database: "shop", table: null, into: "shop_before" });
  const locale = "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = 'shop_before'";
  expect(await psqlIn(primary, locale)).toBe("i|de-AT");
  await psqlIn(primary, "DROP DATABASE shop_before");
});

const OWN = `
ALTER DATABASE shop SET search_path TO sales, "Old Stock";
ALTER DATABASE shop CONNECTION LIMIT 7;
ALTER ROLE clerk IN DATABASE shop SET work_mem = '7MB';
COMMENT ON DATABASE shop IS 'what is sold';
REVOKE ALL ON DATABASE shop FROM public;
GRANT CONNECT ON DATABASE shop TO clerk;`;

const ALL_OWN = `
SELECT array_to_string(datacl, ','), datconnlimit, shobj_description(oid, 'pg_database'),
  (SELECT string_agg(setrole::regrole || ':' || array_to_string(setconfig, ';'), ' ' ORDER BY setrole)
   FROM pg_db_role_setting WHERE setdatabase = database.oid)
FROM pg_database AS database WHERE datname = 'shop'`;

test("a database takes the place of a changed one, with who may connect to it and what was set for it", async () => {
  for (const container of [restored, primary]) await psqlIn(container, "CREATE ROLE clerk");
  await psqlIn(restored, OWN);
  await psqlIn(restored, "CREATE DATABASE shop_restoring");
  const own = await psqlIn(restored, ALL_OWN);
  expect(own).toBe(
    'postgres=CTc/postgres,clerk=c/postgres|7|what is sold|-:search_path=sales, "Old Stock" clerk:work_mem=7MB',
  );
  await shop("DROP TABLE alone");
  await copied({ database: "shop", table: null, into: null });
  expect(await psqlIn(primary, ALL_OWN)).toBe(own);
  expect(await shop("SELECT count(*) FROM public.alone")).toBe("20");
  expect(await psqlIn(primary, "SELECT count(*) FROM pg_database WHERE datname ~ 'restoring'")).toBe("0");
});

const databases = (): Promise<string> =>
  psqlIn(primary, "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE datname ~ 'shop'");

/** A client that comes whenever it may, and does not leave by itself. */
async function stayIn(database: string): Promise<void> {
  const stay = `until [ -e /tmp/closed ]; do psql -U postgres -d ${database} -c 'SELECT pg_sleep(600)'; done`;
  await docker("exec", "--detach", primary, "bash", "-c", stay);
}
const isIn = (database: string): Promise<string> =>
  psqlIn(primary, `SELECT count(*) FROM pg_stat_activity WHERE datname = '${database}' AND query ~ 'pg_sleep.600'`);

test("a database that clients do not leave is replaced, nor do those hinder that who come to the new one", async () => {
  await shop("DROP TABLE alone");
  for (const database of ["shop", "shop_restoring"]) await stayIn(database);
  await expect.poll(() => isIn("shop")).toBe("1");
  await copied({ database: "shop", table: null, into: null });
  await expect.poll(() => isIn("shop")).toBe("1");
  await docker("exec", primary, "touch", "/tmp/closed");
  expect(await shop("SELECT count(*) FROM alone")).toBe("20");
  expect(await databases()).toBe("shop");
});

test("a database that cannot be replaced stays as it was, and takes connections", async () => {
  await psqlIn(primary, "CREATE DATABASE shop_replaced");
  const whole = { database: "shop", table: null, into: null };
  await expect(required(whole)).rejects.toThrow("There is a database shop_replaced, as a copy that was interrupted");
  await shop("CREATE TABLE since ()");
  await expect(copied(whole)).rejects.toThrow('database "shop_replaced" already exists');
  expect(await shop("SELECT count(*) FROM since")).toBe("0");
  expect(await databases()).toBe("shop shop_replaced");
  await psqlIn(primary, "DROP DATABASE shop_replaced");
});

test("a database that is gone comes back under its name", async () => {
  await psqlIn(primary, "DROP DATABASE shop WITH (FORCE)");
  await copied({ database: "shop", table: null, into: null });
  expect(await shop(ROWS)).toBe("400\n2\n50\n40");
});

test("a database that somebody made meanwhile under that name stays, and the old one does", async () => {
  await psqlIn(primary, "CREATE DATABASE shop_restoring");
  await psqlIn(primary, "CREATE TABLE theirs AS SELECT 1", "shop_restoring");
  await expect(copied({ database: "shop", table: null, into: null })).rejects.toThrow("already exists");
  expect(await psqlIn(primary, "SELECT * FROM theirs", "shop_restoring")).toBe("1");
  expect(await shop(ROWS)).toBe("400\n2\n50\n40");
  await psqlIn(primary, "DROP DATABASE shop_restoring");
});
