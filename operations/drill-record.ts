import type Docker from "dockerode";
import { z } from "zod";
import type { Barman } from "./barman.ts";
import { readContainerFile } from "./container-file.ts";
import { OperationError, noAnswer } from "./errors.ts";
import { execIn } from "./exec.ts";

const drillRecord = z.object({
  backup: z.string(),
  /** ISO 8601: when it ended. */
  at: z.string(),
  rtoSeconds: z.number().nullable(),
  rpoSeconds: z.number().nullable(),
  /** null: all was well. */
  failure: z.string().nullable(),
});

/** What the last drill came to, kept beside the backups: a status and the metrics know no Pulumi state. */
export type DrillRecord = Readonly<z.infer<typeof drillRecord>>;

/** @throws OperationError where it cannot be written. */
export async function recordDrill(
  docker: Docker,
  { container }: Barman,
  file: string,
  record: DrillRecord,
): Promise<void> {
  const { exitCode, stderr } = await execIn(docker, {
    container,
    user: "postgres",
    // Nobody ever reads half of it.
    command: ["bash", "-c", 'cat >"$1.new" && mv "$1.new" "$1"', "record-drill", file],
    input: `${JSON.stringify(record)}\n`,
  });
  if (exitCode !== 0) throw new OperationError(`the result of the drill cannot be kept in ${file}: ${stderr.trim()}`);
}

/** Without drills nothing is told of an old one. One that is gone already is no error, nor is a server that is. */
export async function forgetDrill(docker: Docker, { container }: Barman, file: string): Promise<void> {
  await execIn(docker, { container, user: "postgres", command: ["rm", "-f", file] }).catch(noAnswer);
}

/** null: there was no drill, or what is there does not tell. */
export async function lastDrill(docker: Docker, container: string, file: string): Promise<DrillRecord | null> {
  const text = await readContainerFile(docker, container, file);
  return text === undefined ? null : (drillRecord.safeParse(parsed(text)).data ?? null);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
