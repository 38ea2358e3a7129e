import { dirname } from "node:path";
import { execa } from "execa";

const ROOT_CERTIFICATE = /sslrootcert=([^&\s]+)/;

/**
 * Runs the psql of an image against a connection string exactly as it was printed, as a client of this machine would:
 * the machine itself need not have a psql.
 */
export async function psqlAsClient(image: string, connection: string, sql: string): Promise<string> {
  const result = await runPsql(image, connection, sql);
  if (result.exitCode !== 0) throw new Error(`psql ended with ${result.exitCode}: ${result.stderr}`);
  return result.stdout;
}

/** What psql says when it is not let in. */
export async function psqlRefusal(image: string, connection: string): Promise<string> {
  const { exitCode, stderr } = await runPsql(image, connection, "SELECT");
  if (exitCode !== 2) throw new Error(`expected psql to get no connection, but it ended with ${exitCode}`);
  return stderr;
}

interface PsqlResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function runPsql(image: string, connection: string, sql: string): Promise<PsqlResult> {
  const certificate = ROOT_CERTIFICATE.exec(connection)?.[1];
  const folder = certificate === undefined ? [] : [dirname(decodeURIComponent(certificate))];
  const mounts = folder.flatMap((path) => ["--volume", `${path}:${path}:ro`]);
  const client = ["--rm", "--network", "host", ...mounts, "--entrypoint", "psql", image];
  const psql = ["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", connection, "-c", sql];
  const { exitCode = -1, stdout, stderr } = await execa("docker", ["run", ...client, ...psql], { reject: false });
  return { exitCode, stdout, stderr };
}
