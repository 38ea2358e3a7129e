import { ExecaError, execa } from "execa";
import { asOptions, sessionSettings } from "../config-templates/session-settings.ts";
import { escapeIdentifier, escapeLiteral } from "pg";
import prettyBytes from "pretty-bytes";
import { clientArguments } from "./docker-connection.ts";
import { engineOf } from "./engine.ts";
import { OperationError, messageOf } from "./errors.ts";
import { freeBytesAt } from "./free-space.ts";
import type { Node } from "./node.ts";
import { runAsSuperuser, runOnWritableNode } from "./superuser.ts";

/** What is copied out of a restored server into the running topology. */
export interface Copy {
  readonly database: string;
  /** "schema.table" as pg_dump reads it; null: the whole database. */
  readonly table: string | null;
  /** The new database, or with `table` the new schema in the same database; null: it takes the place of the old one. */
  readonly into: string | null;
}

/** What a copy is made as, before it takes another one's place. */
const restoring = (name: string): string => `${name}_restoring`;
/** What a database is called that a copy has taken the place of, until it is dropped. */
const replaced = (name: string): string => `${name}_replaced`;

/**
 * Everything that can be known before anything is restored.
 * @throws OperationError when what is to be made is there already, or where it is to be made is not, or when more than
 * the table would go with the one that is replaced.
 */
export async function requireCopyable(nodes: readonly Node[], copy: Copy): Promise<void> {
  const { node, output } = await runOnWritableNode(nodes, "SELECT datname FROM pg_database;\n");
  const databases = output.split("\n");
  if (copy.table === null) {
    requireUnused("database", "", databases, copy.into, [restoring(copy.database), replaced(copy.database)]);
    return;
  }
  if (!databases.includes(copy.database)) {
    throw new OperationError(
      `There is no database ${copy.database} to copy a table into. Restore all of it by --database without --table.`,
    );
  }
  const schemas = await runAsSuperuser(node, "SELECT nspname FROM pg_namespace;\n", copy.database);
  const made = restoring(nameOf(copy.table).name);
  requireUnused("schema", ` in ${copy.database}`, schemas.split("\n"), copy.into, [made]);
  if (copy.into === null) await requireReplaceable(node, copy.database, copy.table);
}

/** What an interrupted copy left may by now be somebody's: it is not dropped unasked. */
function requireUnused(
  kind: string,
  place: string,
  names: readonly string[],
  into: string | null,
  made: readonly string[],
): void {
  if (into !== null && names.includes(into)) {
    throw new OperationError(`There is a ${kind} ${into}${place} already. Choose another name for --into.`);
  }
  const left = made.find((name) => names.includes(name));
  if (into !== null || left === undefined) return;
  throw new OperationError(
    `There is a ${kind} ${left}${place}, as a copy that was interrupted leaves one. Drop it if nobody needs it, and run this again.`,
  );
}

/** "schema.table" in its parts, and as SQL names it. */
function nameOf(table: string): { readonly schema: string; readonly name: string; readonly quoted: string } {
  const [schema = "", name = ""] = table.split(".");
  return { schema, name, quoted: `${escapeIdentifier(schema)}.${escapeIdentifier(name)}` };
}

/**
 * A table that shares its rows with others is no unit: copied by itself it would be without them, or tied to those of
 * the running primary.
 * @returns whether there is such a table at all.
 * @throws OperationError unless it is a plain one.
 */
async function requirePlain(server: Node, database: string, table: string): Promise<boolean> {
  const [found, tie = ""] = (await runAsSuperuser(server, shapeOf(table), database)).split("\t");
  if (tie === "") return found !== "";
  throw new OperationError(
    `${table} ${tie}: it cannot be restored by itself. Restore its database under another name (--database ${database} --into NAME), and copy the rows from there.`,
  );
}

/** Nothing where there is no such table; else "t", and what it is tied to, if it is. */
const shapeOf = (table: string): string => `
SELECT true, CASE
  WHEN relkind = 'p' THEN 'is partitioned'
  WHEN relispartition THEN 'is a partition of ' || (SELECT inhparent::regclass FROM pg_inherits WHERE inhrelid = oid)
  WHEN relkind <> 'r' THEN 'is no table'
  WHEN EXISTS (SELECT FROM pg_inherits WHERE inhparent = oid) THEN 'has tables that inherit from it'
  WHEN EXISTS (SELECT FROM pg_inherits WHERE inhrelid = oid) THEN 'inherits from another table'
END
FROM pg_class WHERE oid = to_regclass(${escapeLiteral(nameOf(table).quoted)});
`;

/** @throws OperationError where something else would have to go with the table that is there. */
async function requireReplaceable(primary: Node, database: string, table: string): Promise<void> {
  await requirePlain(primary, database, table);
  const dependents = await runAsSuperuser(primary, dependentsOn(table), database);
  if (dependents === "") return;
  throw new OperationError(
    `${table} cannot be replaced, since others depend on the one that is there: ${dependents.split("\n").join(", ")}. Restore it beside that one (--into SCHEMA), and copy the rows from there.`,
  );
}

/** What DROP TABLE would need CASCADE for, and publications, which it would drop out of without a word. */
const dependentsOn = (table: string): string => `
WITH RECURSIVE own AS (
  SELECT 'pg_class'::regclass::oid AS classid, to_regclass(${escapeLiteral(nameOf(table).quoted)})::oid AS objid
  UNION
  SELECT part.classid, part.objid FROM pg_depend AS part
  JOIN own ON part.refclassid = own.classid AND part.refobjid = own.objid
  WHERE part.deptype IN ('a', 'i', 'P', 'S')
)
SELECT CASE WHEN other.classid = 'pg_rewrite'::regclass
  THEN (SELECT pg_describe_object('pg_class'::regclass, ev_class, 0) FROM pg_rewrite WHERE oid = other.objid)
  ELSE pg_describe_object(other.classid, other.objid, other.objsubid) END
FROM pg_depend AS other JOIN own ON other.refclassid = own.classid AND other.refobjid = own.objid
WHERE other.deptype = 'n' AND (other.classid, other.objid) NOT IN (SELECT classid, objid FROM own)
UNION
SELECT 'publication ' || quote_ident(pubname) FROM pg_publication_rel AS published
JOIN pg_publication AS publication ON publication.oid = published.prpubid
JOIN own ON own.classid = 'pg_class'::regclass AND own.objid = published.prrelid
ORDER BY 1;
`;

/**
 * Copies a database or a table out of a restored server into whichever node takes writes, through pipes: nothing is
 * written in between, and no password is needed. What takes another one's place does so only when it is complete.
 */
export async function copyRestored(restored: Node, nodes: readonly Node[], copy: Copy): Promise<void> {
  const { node: primary } = await runOnWritableNode(nodes, "SELECT 1;\n");
  await requireThere(restored, copy);
  await requireRoom(restored, primary, copy);
  await (copy.table === null
    ? copyDatabase(restored, primary, copy.database, copy.into)
    : copyTable(restored, primary, copy.database, copy.table, copy.into));
}

/** @throws OperationError where what is to be copied was not there at that moment, or cannot be copied by itself. */
async function requireThere(restored: Node, { database, table }: Copy): Promise<void> {
  const exists = `SELECT FROM pg_database WHERE datname = ${escapeLiteral(database)}`;
  if ((await runAsSuperuser(restored, `SELECT EXISTS (${exists});\n`)) !== "t")
    throw new OperationError(`There was no database ${database} at that moment.`);
  if (table !== null && !(await requirePlain(restored, database, table)))
    throw new OperationError(`There was no table ${table} in ${database} at that moment.`);
}

/** Beside what is copied the server has to go on working. */
const SPARE_BYTES = 512 * 1024 * 1024;

/**
 * What is copied is written twice, to the tables and to the WAL: a primary whose disk that fills would stop. Pure.
 * @throws OperationError when there is not that much room.
 */
export function requireCopyRoom(what: string, bytes: number, freeBytes: number): void {
  const neededBytes = 2 * bytes + SPARE_BYTES;
  if (freeBytes >= neededBytes) return;
  throw new OperationError(
    `${what} has ${prettyBytes(bytes)}, so that copying it takes up to ${prettyBytes(neededBytes)}, and the primary has ${prettyBytes(freeBytes)} free. Make room first.`,
  );
}

async function requireRoom(restored: Node, primary: Node, { database, table }: Copy): Promise<void> {
  const size =
    table === null
      ? `pg_database_size(${escapeLiteral(database)})`
      : `pg_total_relation_size(${escapeLiteral(nameOf(table).quoted)})`;
  const [bytes, directory] = await Promise.all([
    runAsSuperuser(restored, `SELECT ${size};\n`, database),
    runAsSuperuser(primary, "SHOW data_directory;\n"),
  ]);
  requireCopyRoom(table ?? database, Number(bytes), await freeBytesAt(engineOf(primary), primary.container, directory));
}

/**
 * In the restored server the database gets the name that it is to be made under. So PostgreSQL's own tools make it, with
 * all that is its own: owner, locale, who may connect, and what ALTER DATABASE and ALTER ROLE IN DATABASE have set.
 */
async function copyDatabase(restored: Node, primary: Node, database: string, into: string | null): Promise<void> {
  const made = into ?? restoring(database);
  await promoted(restored);
  if (made !== database) await runAsSuperuser(restored, renameDatabase(database, made), BESIDE);
  try {
    const restore = ["pg_restore", "--create", "--exit-on-error", "-d", BESIDE];
    await pipe(restored, ["pg_dump", "-Fc", "-d", made], primary, restore);
  } catch (error) {
    // Somebody else's, made since it was looked for: it stays.
    if (messageOf(error).includes(`"${made}" already exists`)) throw error;
    await runAsSuperuser(primary, dropDatabase(made));
    throw error;
  }
  if (into === null) await replaceDatabase(primary, made, database);
}

/** A database that is always there, and that nobody renames or drops. */
const BESIDE = "template1";

const dropDatabase = (name: string): string => `DROP DATABASE IF EXISTS ${escapeIdentifier(name)} WITH (FORCE);\n`;

/** What has the new name goes. */
const renameDatabase = (
  from: string,
  to: string,
): string => `${dropDatabase(to)}ALTER DATABASE ${escapeIdentifier(from)} RENAME TO ${escapeIdentifier(to)};
`;

/** @throws OperationError with the old database as it was; where only dropping it failed, under its other name. */
async function replaceDatabase(primary: Node, made: string, database: string): Promise<void> {
  try {
    await runAsSuperuser(primary, exchangeDatabases(made, database), BESIDE);
  } catch (error) {
    await runAsSuperuser(primary, keepDatabase(made, database), BESIDE);
    throw error;
  }
}

const isThere = (database: string): string =>
  `SELECT EXISTS (SELECT FROM pg_database WHERE datname = ${escapeLiteral(database)}) AS there \\gset\n`;

/**
 * PostgreSQL renames no database that somebody is connected to, and drops none in a transaction: the old one goes when
 * the new one has its name, and not before.
 */
const exchangeDatabases = (made: string, database: string): string => `
ALTER DATABASE ${escapeIdentifier(made)} ALLOW_CONNECTIONS false;
${isThere(database)}\\if :there
ALTER DATABASE ${escapeIdentifier(database)} ALLOW_CONNECTIONS false;
\\endif
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname IN (${escapeLiteral(database)}, ${escapeLiteral(made)}) \\g /dev/null
BEGIN;
\\if :there
ALTER DATABASE ${escapeIdentifier(database)} RENAME TO ${escapeIdentifier(replaced(database))};
\\endif
ALTER DATABASE ${escapeIdentifier(made)} RENAME TO ${escapeIdentifier(database)};
ALTER DATABASE ${escapeIdentifier(database)} ALLOW_CONNECTIONS true;
COMMIT;
\\if :there
${dropDatabase(replaced(database))}\\endif
`;

const keepDatabase = (made: string, database: string): string => `
${isThere(database)}\\if :there
ALTER DATABASE ${escapeIdentifier(database)} ALLOW_CONNECTIONS true;
\\endif
${dropDatabase(made)}`;

/**
 * In the restored server the table is moved to a schema of its own first, with its indexes and sequences, so that it can
 * lie beside the one that is there.
 */
async function copyTable(
  restored: Node,
  primary: Node,
  database: string,
  table: string,
  into: string | null,
): Promise<void> {
  const { schema, name, quoted } = nameOf(table);
  const made = into ?? restoring(name);
  const to = escapeIdentifier(made);
  await promoted(restored);
  await runAsSuperuser(restored, `CREATE SCHEMA ${to};\nALTER TABLE ${quoted} SET SCHEMA ${to};\n`, database);
  await runAsSuperuser(primary, `CREATE SCHEMA ${to};\n`, database);
  try {
    const dump = ["pg_dump", "-Fc", "-d", database, "-t", `${to}.${escapeIdentifier(name)}`];
    await pipe(restored, dump, primary, ["pg_restore", "--exit-on-error", "-d", database]);
    if (into === null) await runAsSuperuser(primary, replaceTable(to, name, schema), database);
  } catch (error) {
    await runAsSuperuser(primary, `DROP SCHEMA IF EXISTS ${to} CASCADE;\n`, database);
    throw error;
  }
}

const replaceTable = (from: string, name: string, schema: string): string => `BEGIN;
DROP TABLE IF EXISTS ${escapeIdentifier(schema)}.${escapeIdentifier(name)};
ALTER TABLE ${from}.${escapeIdentifier(name)} SET SCHEMA ${escapeIdentifier(schema)};
DROP SCHEMA ${from};
COMMIT;
`;

const PROMOTION = `SELECT pg_wal_replay_resume() WHERE pg_is_in_recovery() \\g /dev/null
DO $$ BEGIN
  FOR attempt IN 1..600 LOOP
    EXIT WHEN NOT pg_is_in_recovery();
    PERFORM pg_sleep(0.1);
  END LOOP;
END $$;
`;

const promoted = (restored: Node): Promise<string> => runAsSuperuser(restored, PROMOTION);

/** One program's output into another's input, each in its own container, by the server's socket. */
async function pipe(from: Node, source: readonly string[], to: Node, sink: readonly string[]): Promise<void> {
  const inside = (node: Node, command: readonly string[]): string[] => [
    ...clientArguments(node),
    "exec",
    "-i",
    "-u",
    "postgres",
    "-e",
    `PGOPTIONS=${asOptions({ ...sessionSettings(0), lc_messages: "C" })}`,
    node.container,
    ...command,
  ];
  const options = { buffer: { stdout: false } } as const;
  try {
    await execa("docker", inside(from, source), options).pipe("docker", inside(to, sink));
  } catch (error) {
    if (!(error instanceof ExecaError)) throw error;
    const said = [...error.pipedFrom, error].map(({ stderr }) =>
      String(stderr).trim().split("\n").slice(0, 3).join(" "),
    );
    const words = said.filter((text) => text !== "").join("; ");
    throw new OperationError(`the copy failed, and what it had made is removed: ${words}`);
  }
}
