import { quoteForShell } from "../config-templates/render.ts";
import { TRANSACTION_TIMEOUT_MAJOR, asOptions, sessionSettings } from "../config-templates/session-settings.ts";
import { EngineGoneError, engineOf } from "./engine.ts";
import { OperationError } from "./errors.ts";
import { execIn } from "./exec.ts";
import type { Node } from "./node.ts";

/**
 * What stands before every script: nothing of it reaches the server's log (it may hold a verifier), an error text does
 * not repeat the statement, and it does not wait for standbys that are yet to come.
 */
const PREAMBLE = `\\set ON_ERROR_STOP on
\\set VERBOSITY terse
SET log_statement = 'none';
SET log_min_duration_statement = -1;
SET log_min_error_statement = 'panic';
SET synchronous_commit = 'local';
SET client_min_messages = 'warning';
SET search_path = 'pg_catalog';
`;

/** Its words are looked at: they have to be of one language, and in one encoding. */
const WORDS = { lc_messages: "C", client_encoding: "UTF8" };

const optionsFor = (major: number): string => quoteForShell(asOptions({ ...sessionSettings(major), ...WORDS }));

/** A server that hangs takes connections, by its socket too, and never answers. */
const CONNECT_TIMEOUT_SECONDS = 10;

/**
 * What a server knows the image tells, without another question. Debian's psql is a wrapper that takes three times as
 * long as the one of the server's own version.
 */
const PSQL = `PATH=/usr/lib/postgresql/\${PG_MAJOR:-}/bin:$PATH
export PGCONNECT_TIMEOUT=${CONNECT_TIMEOUT_SECONDS}
if [ "\${PG_MAJOR:-0}" -ge ${TRANSACTION_TIMEOUT_MAJOR} ]; then
  export PGOPTIONS=${optionsFor(TRANSACTION_TIMEOUT_MAJOR)}
else
  export PGOPTIONS=${optionsFor(TRANSACTION_TIMEOUT_MAJOR - 1)}
fi
exec psql -X -A -t -q -F "\t" -d "$1"`;

/**
 * Runs a psql script as the superuser, over the container's own socket: the only way in that the superuser has. The
 * script comes by standard input, so that it is on no command line.
 * @returns what it selected: columns between tabs, one row a line.
 * @throws OperationError with the server's own words.
 */
export async function runAsSuperuser(node: Node, script: string, database: string = "postgres"): Promise<string> {
  const { exitCode, stdout, stderr } = await execIn(engineOf(node), {
    container: node.container,
    user: "postgres",
    command: ["sh", "-c", PSQL, "psql", database],
    input: PREAMBLE + script,
  });
  if (exitCode !== 0) {
    throw new OperationError(`psql on ${node.name} ended with exit code ${exitCode}: ${stderr.trim()}`);
  }
  return stdout.trimEnd();
}

/** Whatever writes has to wait until there is a primary again. */
export class NoWritableNodeError extends OperationError {}

const STANDBY = "standby";

/**
 * Runs a script on whichever node is writable now, whatever the plan calls the primary.
 * @returns the node it ran on, and what it selected.
 * @throws NoWritableNodeError when no node is writable.
 */
export async function runOnWritableNode(
  nodes: readonly Node[],
  script: string,
  database?: string,
): Promise<{ node: Node; output: string }> {
  const guarded = `SELECT pg_is_in_recovery() AS standby \\gset
\\if :standby
\\echo ${STANDBY}
\\quit
\\endif
${script}`;
  const seen: string[] = [];
  for (const node of nodes) {
    try {
      const output = await runAsSuperuser(node, guarded, database);
      if (output !== STANDBY) return { node, output };
      seen.push(`${node.name} is a standby`);
    } catch (error) {
      if (!(error instanceof OperationError) || !isUnreachable(node, error)) throw error;
      seen.push(error.message);
    }
  }
  throw new NoWritableNodeError(`expected a writable node, found none: ${seen.join("; ")}`);
}

/** psql exits with 2 when it has no connection; an error of the script is 1 or 3. */
function isUnreachable({ host }: Node, error: OperationError): boolean {
  // Of several engines the others can be asked.
  if (host !== undefined && error instanceof EngineGoneError) return true;
  return error.message.includes("exit code 2:") || error.message.includes("cannot be asked");
}
