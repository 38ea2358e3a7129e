import { execa } from "execa";
import type { DrillReport } from "../operations/restore-drill.ts";
import { docker } from "../tests/support/containers.ts";
import { freePorts } from "../tests/support/ports.ts";
import { PROJECT_DIRECTORY } from "../tests/support/project.ts";
import { withStack } from "../tests/support/stack.ts";
import type { TestStack } from "../tests/support/stack.ts";
import { bareBaseBackup, databaseBytes, fill } from "./base-backup.ts";
import { seconds } from "./statistics.ts";

/** Seconds for the same data: taken by a bare pg_basebackup and by the backup server, copied by cp and restored. */
export interface BackupRound {
  readonly bytes: number;
  readonly bare: number;
  /** `npm run backup -- now`: until all WAL that it needs is archived. */
  readonly backup: number;
  readonly copy: number;
  /** `npm run restore -- --backup ID`: until the server answers. */
  readonly restore: number;
  /** Of the drill of that backup, in the update after it. */
  readonly rto: number;
  readonly rpo: number | null;
}

/** Backups and restores of a primary with about this many bytes of rows. */
export async function backupRounds(rounds: number, bytes: number, image: string): Promise<BackupRound[]> {
  const [port] = await freePorts(1);
  const nodes = [{ name: "node-1", port }];
  const config = { image, primary: "node-1", nodes, backup: { enabled: true }, drill: { enabled: true } };
  const results: BackupRound[] = [];
  await withStack(config, async (stack) => {
    await stack.up();
    await fill(stack, bytes);
    for (let round = 0; round < rounds; round += 1) {
      console.log(`backup, ${round + 1} of ${rounds}`);
      results.push(await backupRound(stack, image));
    }
  });
  return results;
}

async function backupRound(stack: TestStack, image: string): Promise<BackupRound> {
  const bare = await seconds(() => bareBaseBackup(stack, image, false));
  const backup = await seconds(() => run(stack, "backup", "now"));
  const id = await newestBackup(stack);
  const copy = await seconds(() => plainCopy(stack, image, id));
  const restore = await seconds(() => run(stack, "restore", "--backup", id));
  await run(stack, "restore", "--remove");
  await stack.up();
  const { lastDrill } = await stack.outputs<{ lastDrill: DrillReport }>();
  const { rtoSeconds: rto, rpoSeconds: rpo } = lastDrill;
  return { bytes: await databaseBytes(stack), bare, backup, copy, restore, rto, rpo };
}

async function run(stack: TestStack, command: "backup" | "restore", ...args: string[]): Promise<void> {
  await execa("node", [`commands/${command}.ts`, "--stack", stack.name, ...args], { cwd: PROJECT_DIRECTORY });
}

async function newestBackup(stack: TestStack): Promise<string> {
  const bases = await docker("exec", stack.container("barman"), "sh", "-c", "ls /var/lib/barman/*/base");
  return bases.split("\n").toSorted().at(-1) ?? "";
}

/** What a restore does to the files, and no more. */
async function plainCopy(stack: TestStack, image: string, id: string): Promise<void> {
  const [backups, volume] = [`${stack.container("barman")}-data`, `${stack.container("barman")}-bench`];
  const copy = `cp --archive /var/lib/barman/*/base/${id}/data /copy/ && sync /copy`;
  const mounts = ["--volume", `${backups}:/var/lib/barman:ro`, "--volume", `${volume}:/copy`];
  await docker("run", "--rm", "--network", "none", ...mounts, "--entrypoint", "bash", image, "-ec", copy);
  await docker("volume", "rm", volume);
}
