import { escapeIdentifier, escapeLiteral } from "pg";
import type { FoundRole } from "./access.ts";
import { OperationError } from "./errors.ts";
import type { Node } from "./node.ts";
import { isVerifierOf, scramVerifier } from "./scram.ts";
import { runOnWritableNode } from "./superuser.ts";

/** A role that can log in, as it shall be. */
export interface Role {
  readonly name: string;
  readonly replication: boolean;
  /** -1: no limit. */
  readonly connectionLimit: number;
  /** Roles whose privileges it has, for example pg_monitor. */
  readonly memberOf: readonly string[];
  /** Functions of the maintenance database that it may run, for example "pg_promote(boolean, integer)". */
  readonly executes: readonly string[];
  /** Views of the maintenance database that it may read although they are the superuser's. */
  readonly reads: readonly string[];
  /** What its sessions go by, whatever is set for the cluster or a database. undefined: by what they find. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * Makes the role, or alters it into what it shall be. A connection that is open already keeps working.
 * @returns where it was done, and a WAL position behind it: whoever has replayed that has the role as it is now.
 */
export async function ensureRole(
  nodes: readonly Node[],
  role: Role,
  password: string,
): Promise<{ readonly node: Node; readonly walLsn: string }> {
  const script = `${ensureRoleScript(role, scramVerifier(password))}SELECT pg_current_wal_insert_lsn();\n`;
  const { node, output } = await runOnWritableNode(nodes, script);
  return { node, walLsn: output };
}

/** An advisory lock that whoever grants or revokes here holds; the number is any of our own. */
export const ROLE_LOCK = 725083114;

/** Two grants on one function at the same moment end with "tuple concurrently updated". It goes with the connection. */
const ONE_AT_A_TIME = `SELECT pg_advisory_lock(${ROLE_LOCK}) \\g /dev/null`;

/** The script for psql: it gives the same role whatever was there before. */
function ensureRoleScript(role: Role, verifier: string): string {
  const name = escapeIdentifier(role.name);
  const replication = role.replication ? "REPLICATION" : "NOREPLICATION";
  return [
    ONE_AT_A_TIME,
    `SELECT ${escapeLiteral(`CREATE ROLE ${name}`)} WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ${escapeLiteral(role.name)}) \\gexec`,
    `ALTER ROLE ${name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS ${replication} CONNECTION LIMIT ${role.connectionLimit} VALID UNTIL 'infinity' PASSWORD ${escapeLiteral(verifier)};`,
    ...Object.entries(role.settings ?? {}).map(
      ([setting, value]) => `ALTER ROLE ${name} SET ${escapeIdentifier(setting)} TO ${escapeLiteral(value)};`,
    ),
    ...role.memberOf.map((group) => `GRANT ${escapeIdentifier(group)} TO ${name};`),
    ...role.executes.map((signature) => `GRANT EXECUTE ON FUNCTION pg_catalog.${signature} TO ${name};`),
    ...role.reads.map((view) => `GRANT SELECT ON pg_catalog.${view} TO ${name};`),
    "",
  ].join("\n");
}

/**
 * Drops the role unless something still belongs to it or depends on it; one that is not there is no error.
 * @returns whether it is gone.
 */
export async function dropRoleIfUnused(nodes: readonly Node[], role: Role): Promise<boolean> {
  try {
    await runOnWritableNode(nodes, dropRoleScript(role));
    return true;
  } catch (error) {
    if (error instanceof OperationError && error.message.includes("cannot be dropped")) return false;
    throw error;
  }
}

function dropRoleScript(role: Role): string {
  const name = escapeIdentifier(role.name);
  return [
    `SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ${escapeLiteral(role.name)}) AS gone \\gset`,
    "\\if :gone",
    "\\quit",
    "\\endif",
    ONE_AT_A_TIME,
    ...role.executes.map((signature) => `REVOKE EXECUTE ON FUNCTION pg_catalog.${signature} FROM ${name};`),
    ...role.reads.map((view) => `REVOKE SELECT ON pg_catalog.${view} FROM ${name};`),
    `DROP ROLE ${name};`,
    "",
  ].join("\n");
}

/** How a role differs from what it shall be, as it completes "the role X ..."; undefined: not at all. */
export function roleDifference(found: FoundRole | undefined, role: Role, password: string): string | undefined {
  if (found === undefined) return "does not exist";
  if (!found.login) return "may not log in";
  if (found.superuser) return "is a superuser";
  if (found.creates_databases) return "may create databases";
  if (found.creates_roles) return "may create roles";
  if (found.bypasses_row_security) return "bypasses row security";
  if (found.replication !== role.replication) return found.replication ? "may replicate" : "may not replicate";
  if (found.connection_limit !== role.connectionLimit) return `has connection limit ${found.connection_limit}`;
  if (found.valid_until !== null) return `is valid until ${found.valid_until}`;
  const missed = role.memberOf.find((group) => !found.member_of.includes(group));
  if (missed !== undefined) return `is no member of ${missed}`;
  const unset = Object.entries(role.settings ?? {}).find(
    ([setting, value]) => !found.settings.some((line) => line.toLowerCase() === `${setting}=${value}`.toLowerCase()),
  );
  if (unset !== undefined) return `has not ${unset.join("=")} as a setting of its own`;
  return isVerifierOf(found.verifier ?? "", password) ? undefined : "has another password";
}
