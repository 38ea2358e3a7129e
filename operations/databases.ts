import { escapeIdentifier, escapeLiteral } from "pg";
import type { Node } from "./node.ts";
import { runOnWritableNode } from "./superuser.ts";

/** Makes the database for its owner, or gives one that is there to its owner. It never drops one. */
export async function ensureDatabase(nodes: readonly Node[], name: string, owner: string): Promise<void> {
  const database = escapeIdentifier(name);
  const role = escapeIdentifier(owner);
  const create = escapeLiteral(`CREATE DATABASE ${database} OWNER ${role}`);
  const script = `SELECT ${create} WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = ${escapeLiteral(name)}) \\gexec
ALTER DATABASE ${database} OWNER TO ${role};
`;
  await runOnWritableNode(nodes, script);
}

/**
 * How a database differs from what it shall be, as it completes "the database X ..."; undefined: not at all.
 * @param found whose it is; undefined: it is not there.
 */
export function databaseDifference(found: string | undefined, owner: string): string | undefined {
  if (found === undefined) return "is gone, with all its rows: an empty one is made";
  return found === owner ? undefined : `belongs to ${found}: it is given back to ${owner}`;
}
