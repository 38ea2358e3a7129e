import { ExecaError, execa } from "execa";
import { asOptions, sessionSettings } from "../config-templates/session-settings.ts";
import { escapeIdentifier, escapeLiteral } from "pg";
import { clientArguments } from "./docker-connection.ts";
import { OperationError } from "./errors.ts";
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

/** @throws OperationError when what is to be made is there already, or where it is to be made is not. */
export async function requireCopyable(nodes: readonly Node[], copy: Copy): Promise<void> {
  const { node, output } = await runOnWritableNode(nodes, "SELECT datname FROM pg_database;\n");
  const databases = new Set(output.split("\n"));
  if (copy.table === null) {
    if (copy.into === null || !databases.has(copy.into)) return;
    throw new OperationError(`There is a database ${copy.into} already. Choose another name for --into.`);
  }
  if (!databases.has(copy.database)) {
    throw new OperationError(
      `There is no database ${copy.database} to copy a table into. Restore all of it by --database without --table.`,
    );
  }
  if (copy.into === null) return;
  const schemas = await runAsSuperuser(node, "SELECT nspname FROM pg_namespace;\n", copy.database);
  if (!schemas.split("\n").includes(copy.into)) return;
  throw new OperationError(
    `There is a schema ${copy.into} in ${copy.database} already. Choose another name for --into.`,
  );
}

/**
 * Copies a database or a table out of a restored server into whichever node takes writes, through pipes: nothing is
 * written in between, and no password is needed. What takes another one's place does so only when it is complete.
 */
export async function copyRestored(restored: Node, nodes: readonly Node[], copy: Copy): Promise<void> {
  const { node: primary } = await runOnWritableNode(nodes, "SELECT 1;\n");
  await (copy.table === null
    ? copyDatabase(restored, primary, copy.database, copy.into)
    : copyTable(restored, primary, copy.database, copy.table, copy.into));
}

async function copyDatabase(restored: Node, primary: Node, database: string, into: string | null): Promise<void> {
  const definition = await runAsSuperuser(restored, definitionOf(database));
  if (definition === "") throw new OperationError(`There was no database ${database} at that moment.`);
  const made = into ?? `${database}_restoring`;
  const drop = `DROP DATABASE IF EXISTS ${escapeIdentifier(made)} WITH (FORCE);\n`;
  if (into === null) await runAsSuperuser(primary, drop);
  await runAsSuperuser(primary, `CREATE DATABASE ${escapeIdentifier(made)} ${definition};\n`);
  try {
    await pipe(restored, ["pg_dump", "-Fc", "-d", database], primary, ["pg_restore", "--exit-on-error", "-d", made]);
  } catch (error) {
    await runAsSuperuser(primary, drop);
    throw error;
  }
  if (into !== null) return;
  const old = escapeIdentifier(database);
  await runAsSuperuser(
    primary,
    `DROP DATABASE IF EXISTS ${old} WITH (FORCE);\nALTER DATABASE ${escapeIdentifier(made)} RENAME TO ${old};\n`,
  );
}

/** What CREATE DATABASE needs after the name to make one like it; nothing if there is none. The owner may be gone since. */
const definitionOf = (database: string): string => `
SELECT format('OWNER %I TEMPLATE template0 ENCODING %L LOCALE_PROVIDER %s LC_COLLATE %L LC_CTYPE %L',
              pg_get_userbyid(datdba), pg_encoding_to_char(encoding),
              CASE datlocprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END, datcollate, datctype)
FROM pg_database WHERE datname = ${escapeLiteral(database)};
`;

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
  const [schema = "", name = ""] = table.split(".");
  const made = into ?? `${name}_restoring`;
  const [to, whole] = [escapeIdentifier(made), `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`];
  await runAsSuperuser(restored, "SELECT pg_wal_replay_resume() WHERE pg_is_in_recovery();\n");
  await promoted(restored);
  await runAsSuperuser(restored, `CREATE SCHEMA ${to};\nALTER TABLE ${whole} SET SCHEMA ${to};\n`, database);
  const drop = `DROP SCHEMA IF EXISTS ${to} CASCADE;\n`;
  await runAsSuperuser(primary, `${into === null ? drop : ""}CREATE SCHEMA ${to};\n`, database);
  try {
    const dump = ["pg_dump", "-Fc", "-d", database, "-t", `${to}.${escapeIdentifier(name)}`];
    await pipe(restored, dump, primary, ["pg_restore", "--exit-on-error", "-d", database]);
    if (into === null) await runAsSuperuser(primary, replaceTable(to, name, schema), database);
  } catch (error) {
    await runAsSuperuser(primary, drop, database);
    throw error;
  }
}

const replaceTable = (from: string, name: string, schema: string): string => `BEGIN;
DROP TABLE IF EXISTS ${escapeIdentifier(schema)}.${escapeIdentifier(name)};
ALTER TABLE ${from}.${escapeIdentifier(name)} SET SCHEMA ${escapeIdentifier(schema)};
DROP SCHEMA ${from};
COMMIT;
`;

const PROMOTION = `DO $$ BEGIN
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
    `PGOPTIONS=${asOptions(sessionSettings(0))}`,
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
