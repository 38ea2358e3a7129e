import { execa } from "execa";
import pg from "pg";

/** Who looks on is no user, whatever the stack file sets for the sessions of users. */
const OPTIONS = "PGOPTIONS=-c idle_session_timeout=0 -c statement_timeout=0 -c lock_timeout=0";

/** Without Debian's wrapper, which takes three times as long: tests ask often. */
const PSQL = 'exec "/usr/lib/postgresql/$PG_MAJOR/bin/psql" "$@"';

/** The only way in that the superuser has: psql on the container's own socket. What it selects, columns between "|". */
export async function psqlIn(container: string, sql: string, database: string = "postgres"): Promise<string> {
  const psql = ["sh", "-c", PSQL, "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database];
  const command = ["exec", "-i", "-u", "postgres", "-e", OPTIONS, container, ...psql];
  const { stdout } = await execa("docker", command, { input: sql });
  return stdout;
}

/** The rows of one query, asked as the superuser on the server itself. */
export async function rowsIn<T>(container: string, query: string, database: string = "postgres"): Promise<T[]> {
  const json = await psqlIn(container, `SELECT coalesce(json_agg(result), '[]') FROM (${query}) AS result`, database);
  return JSON.parse(json) as T[];
}

/** When the server process was started; a reload leaves it, a restart does not. */
export const startTimeIn = (container: string): Promise<string> =>
  psqlIn(container, "SELECT pg_postmaster_start_time()");

/** How a client logs in over TCP. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** PEM of the authority that the server's certificate must be of; null: without TLS. */
  readonly certificateAuthority: string | null;
  /** The name that the certificate must be good for, where it is not the host's. */
  readonly servername?: string;
}

const CONNECT_TIMEOUT_MILLISECONDS = 5000;

/** Runs `use` with a client of its own. */
export async function withClient<T>(login: Login, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = newClient(login);
  client.on("error", () => undefined);
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The rows of one query, asked as a client of the network. */
export async function rowsOf<T extends pg.QueryResultRow>(login: Login, sql: string): Promise<T[]> {
  return withClient(login, async (client) => (await client.query<T>(sql)).rows);
}

/** In what words a client is refused. It fails when the client is let in. */
export async function refusal(login: Login): Promise<string> {
  try {
    await rowsOf(login, "SELECT");
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error(`${login.user} was let into ${login.database} at ${login.host}:${login.port}`);
}

function newClient({ host, port, user, password, database, certificateAuthority, servername }: Login): pg.Client {
  const name = servername === undefined ? {} : { servername };
  const ssl = certificateAuthority === null ? false : { ca: certificateAuthority, ...name };
  const connectionTimeoutMillis = CONNECT_TIMEOUT_MILLISECONDS;
  return new pg.Client({ host, port, user, password, database, ssl, connectionTimeoutMillis });
}
