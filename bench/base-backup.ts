import { execa } from "execa";
import { freePorts } from "../tests/support/ports.ts";
import { withStack } from "../tests/support/stack.ts";
import type { TestStack } from "../tests/support/stack.ts";
import { seconds } from "./statistics.ts";

/** Seconds for the same data: a bare pg_basebackup, one that is also verified, and the whole `pulumi up` that adds a standby. */
export interface BaseBackupRound {
  readonly bytes: number;
  readonly bare: number;
  readonly bareVerified: number;
  readonly resource: number;
}

/** A base backup of a primary with about this many bytes of rows. */
export async function baseBackupRounds(rounds: number, bytes: number, image: string): Promise<BaseBackupRound[]> {
  const ports = await freePorts(2);
  const nodes = ports.map((port, index) => ({ name: `node-${index + 1}`, port }));
  const results: BaseBackupRound[] = [];
  await withStack({ image, primary: "node-1", nodes: nodes.slice(0, 1) }, async (stack) => {
    await stack.up();
    await fill(stack, bytes);
    for (let round = 0; round < rounds; round += 1) {
      const bare = await seconds(() => bareBaseBackup(stack, image, false));
      const bareVerified = await seconds(() => bareBaseBackup(stack, image, true));
      await stack.configure({ image, primary: "node-1", nodes });
      const resource = durationOf(await stack.up(), "node-2-base-backup");
      results.push({ bytes: await databaseBytes(stack), bare, bareVerified, resource });
      await stack.configure({ image, primary: "node-1", nodes: nodes.slice(0, 1) });
      await stack.up();
    }
    await stack.succeed(["destroy", "--yes", "--skip-preview"]);
  });
  return results;
}

const psql = async (stack: TestStack, sql: string): Promise<string> => {
  const args = ["exec", "-u", "postgres", stack.container("node-1"), "psql", "-XAtqc", sql];
  return (await execa("docker", args)).stdout;
};

/** Gives a primary about this many bytes of rows. */
export async function fill(stack: TestStack, bytes: number): Promise<void> {
  const rowBytes = 1000;
  await psql(
    stack,
    `CREATE TABLE ballast AS SELECT n, repeat(md5(n::text), ${Math.floor(rowBytes / 32)}) AS text FROM generate_series(1, ${Math.ceil(bytes / rowBytes)}) AS n`,
  );
  await psql(stack, "CHECKPOINT");
}

export const databaseBytes = async (stack: TestStack): Promise<number> =>
  Number(await psql(stack, "SELECT sum(pg_database_size(oid)) FROM pg_database"));

/** In a container of its own on the same network, into a volume of its own, as one would do it by hand. */
export async function bareBaseBackup(stack: TestStack, image: string, verified: boolean): Promise<void> {
  const volume = `${stack.container("node-1")}-bench`;
  const configuration = `${stack.container("node-1")}-configuration`;
  const conninfo =
    "host=node-1 user=repuser passfile=/etc/pg-topology/passfile sslmode=verify-full sslrootcert=/etc/pg-topology/tls/ca.crt";
  const verify = verified ? " && pg_verifybackup --quiet /var/lib/postgresql/data/copy" : "";
  const script = `pg_basebackup --dbname '${conninfo}' --pgdata /var/lib/postgresql/data/copy --wal-method stream --checkpoint fast${verify}`;
  const network = stack.container("network");
  await execa("docker", [
    ...["run", "--rm", "--network", network, "--user", "postgres", "--entrypoint", "bash"],
    ...["--volume", `${volume}:/var/lib/postgresql/data`, "--volume", `${configuration}:/etc/pg-topology:ro`],
    ...[image, "-ec", script],
  ]);
  await execa("docker", ["volume", "rm", volume]);
}

/** What Pulumi reports for one resource, for example "created (12s)". */
function durationOf(output: string, resource: string): number {
  const line = output.split("\n").find((candidate) => candidate.includes(resource) && candidate.includes("created ("));
  const duration = /created \(([\d.]+)s\)/.exec(line ?? "")?.[1];
  if (duration === undefined) throw new Error(`no duration of ${resource} in:\n${output}`);
  return Number(duration);
}
