import type { Node } from "./node.ts";
import { runOnWritableNode } from "./superuser.ts";

/** A role as it is. */
export interface FoundRole {
  readonly login: boolean;
  readonly replication: boolean;
  readonly superuser: boolean;
  readonly creates_databases: boolean;
  readonly creates_roles: boolean;
  readonly bypasses_row_security: boolean;
  readonly connection_limit: number;
  /** From when on its password is refused; null: never. */
  readonly valid_until: string | null;
  readonly verifier: string | null;
  /** Roles that it is a member of, with whatever they may do. */
  readonly member_of: readonly string[];
  /** Each as "name=value". */
  readonly settings: readonly string[];
}

/** Who may log in to a cluster, and whose its databases are. */
export interface Access {
  readonly roles: ReadonlyMap<string, FoundRole>;
  /** The owner of each database. */
  readonly owners: ReadonlyMap<string, string>;
}

interface Answer {
  readonly roles: Readonly<Record<string, FoundRole>>;
  readonly owners: Readonly<Record<string, string>>;
}

const ACCESS = `SELECT json_build_object(
  'roles', (SELECT json_object_agg(rolname, json_build_object(
      'login', rolcanlogin, 'replication', rolreplication, 'superuser', rolsuper,
      'creates_databases', rolcreatedb, 'creates_roles', rolcreaterole, 'bypasses_row_security', rolbypassrls,
      'connection_limit', rolconnlimit, 'valid_until', nullif(rolvaliduntil, 'infinity'), 'verifier', rolpassword,
      'member_of', ARRAY(SELECT pg_get_userbyid(roleid) FROM pg_auth_members WHERE member = pg_authid.oid),
      'settings', coalesce((
        SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = 0 AND setrole = pg_authid.oid), '{}')))
    FROM pg_authid WHERE rolname !~ '^pg_'),
  'owners', (SELECT json_object_agg(datname, pg_get_userbyid(datdba)) FROM pg_database));
`;

/**
 * The superuser of the writable node is asked: nobody else may see a verifier.
 * @throws OperationError when no node is writable.
 */
export async function readAccess(nodes: readonly Node[]): Promise<Access> {
  const { output } = await runOnWritableNode(nodes, ACCESS);
  const { roles, owners } = JSON.parse(output) as Answer;
  // Roles and databases have any name, also one that every object has a property of.
  return { roles: new Map(Object.entries(roles)), owners: new Map(Object.entries(owners)) };
}
