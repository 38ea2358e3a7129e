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

/** How a database differs from what it shall be, as it completes "the database X ..."; undefined: not at all. */
export async function databaseDifference(
  nodes: readonly Node[],
  name: string,
  owner: string,
): Promise<string | undefined> {
  const script = `SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = ${escapeLiteral(name)};\n`;
  const { output } = await runOnWritableNode(nodes, script);
  if (output === "") return "is gone, with all its rows: an empty one is made";
  return output === owner ? undefined : `belongs to ${output}: it is given back to ${owner}`;
}
