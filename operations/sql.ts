import pg from "pg";
import type { QueryResultRow } from "pg";
import { asOptions, sessionSettings } from "../config-templates/session-settings.ts";
import { isSilent } from "./engine.ts";
import { OperationError, messageOf } from "./errors.ts";
import { serverEndpoint } from "./node.ts";
import type { HostPort, Node } from "./node.ts";

/** The provider's own role: it sees everything about replication, and no row of any table. */
export interface OperatorCredentials {
  readonly user: string;
  readonly password: string;
  readonly certificateAuthorityPem: string;
}

const CONNECT_TIMEOUT_MILLISECONDS = 2000;
/** Over a slow link the handshake alone takes more than a second, and one packet that is lost another. */
const FAR_CONNECT_TIMEOUT_MILLISECONDS = 5000;
const QUERY_TIMEOUT_MILLISECONDS = 30_000;

/**
 * Runs `use` with a connection of the operator, over TLS with the node's certificate verified for the node's name.
 * @throws OperationError naming the node when no connection is to be had; what `use` throws goes through.
 */
export async function withOperator<T>(
  node: Node,
  operator: OperatorCredentials,
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = await connectOperator(node, operator);
  try {
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function connectOperator(node: Node, operator: OperatorCredentials): Promise<pg.Client> {
  const endpoint = await serverEndpoint(node);
  try {
    return await connect(endpoint, node, operator);
  } catch (error) {
    throw new OperationError(
      `${node.name} does not answer at ${endpoint.host}:${endpoint.port} as ${operator.user}: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** Of servers that know less than the newest: a process asks each of them many times. */
const olderServers = new Set<string>();

const keyOf = ({ host, port }: HostPort): string => `${host}:${port}`;

const OWN_SETTINGS = { search_path: "pg_catalog" };
const NEWEST_SETTINGS = { ...sessionSettings(Number.POSITIVE_INFINITY), ...OWN_SETTINGS };
const OLDEST_SETTINGS = { ...sessionSettings(0), ...OWN_SETTINGS };

/** "undefined object": a setting that the server does not know. */
const UNKNOWN_SETTING = "42704";

async function connect(endpoint: HostPort, node: Node, operator: OperatorCredentials): Promise<pg.Client> {
  const isOlder = olderServers.has(keyOf(endpoint));
  const client = operatorClient(endpoint, node, operator, isOlder ? OLDEST_SETTINGS : NEWEST_SETTINGS);
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    if (isOlder || !(error instanceof pg.DatabaseError) || error.code !== UNKNOWN_SETTING) throw error;
    olderServers.add(keyOf(endpoint));
    return connect(endpoint, node, operator);
  }
}

function operatorClient(
  endpoint: HostPort,
  node: Node,
  operator: OperatorCredentials,
  settings: Readonly<Record<string, string>>,
): pg.Client {
  const client = new pg.Client({
    ...endpoint,
    user: operator.user,
    password: operator.password,
    database: "postgres",
    application_name: "pg-topology",
    options: asOptions(settings),
    connectionTimeoutMillis: connectTimeout(node),
    query_timeout: QUERY_TIMEOUT_MILLISECONDS,
    ssl: { ca: operator.certificateAuthorityPem, servername: node.name, minVersion: "TLSv1.2" },
  });
  // A connection that breaks while nobody asks anything raises this event; the next query reports it.
  client.on("error", () => undefined);
  return client;
}

/** Who is on a host that does not answer either is not waited for. */
const connectTimeout = (node: Node): number =>
  node.host === undefined || isSilent(node) ? CONNECT_TIMEOUT_MILLISECONDS : FAR_CONNECT_TIMEOUT_MILLISECONDS;

/** "cannot connect now": starting up, shutting down, or in recovery and not yet consistent. */
const CANNOT_CONNECT_NOW = "57P03";

/**
 * Whether a server takes connections, in one attempt to log in. A server that refuses the role is ready as well: on a
 * cluster that was just founded the operator does not exist yet.
 * @returns "ready", or what was seen instead.
 */
export async function readiness(node: Node, operator: OperatorCredentials): Promise<string> {
  try {
    await withOperator(node, operator, async () => undefined);
    return "ready";
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    const { cause } = error;
    return cause instanceof pg.DatabaseError && cause.code !== CANNOT_CONNECT_NOW ? "ready" : error.message;
  }
}

/** The only row of a query. */
export async function one<R extends QueryResultRow>(
  client: pg.Client,
  text: string,
  values: readonly unknown[] = [],
): Promise<R> {
  const { rows } = await client.query<R>(text, [...values]);
  const [row] = rows;
  if (row === undefined || rows.length > 1) throw new Error(`expected one row, got ${rows.length}: ${text}`);
  return row;
}

export async function isStandby(client: pg.Client): Promise<boolean> {
  return (await one<{ standby: boolean }>(client, "SELECT pg_is_in_recovery() AS standby")).standby;
}
