import type Docker from "dockerode";
import { barmanWords } from "./barman.ts";
import type { Barman } from "./barman.ts";
import { OperationError } from "./errors.ts";
import { execIn } from "./exec.ts";

/** Of a Barman server, where its backups lie, each in a folder of its own. */
export interface BackupFolder extends Barman {
  readonly backupFolder: string;
}

/** Beside the files of a backup: it is exempt from the retention policy by a drill, and by no person. */
const MARK = "kept-by-drill";

/** The mark comes before what it explains and goes after it: whoever was interrupted, the next drill puts it right. */
const KEEP = `
server=$1 folder=$2 proven=$3
if [ -n "$proven" ] && barman keep --status "$server" "$proven" | grep -qw nokeep; then
  touch "$folder/$proven/${MARK}" && barman keep --target full "$server" "$proven" || exit 1
fi
for mark in "$folder"/*/${MARK}; do
  id=$(basename "$(dirname "$mark")")
  [ -e "$mark" ] && [ "$id" != "$proven" ] || continue
  barman keep --release "$server" "$id" && rm -f "$mark" || exit 1
done`;

/**
 * Exempts a backup that a drill has restored from the retention policy, until a newer one is proven: were all that come
 * after it spoiled, it would be the last good one. One that a person keeps is left to that person.
 * @throws OperationError in Barman's words.
 */
export const keepProven = (docker: Docker, server: BackupFolder, id: string): Promise<void> => run(docker, server, id);

/** Without drills no backup is proven any more. */
export const releaseProven = (docker: Docker, server: BackupFolder): Promise<void> => run(docker, server, "");

async function run(docker: Docker, { container, server, backupFolder }: BackupFolder, proven: string): Promise<void> {
  const command = ["bash", "-c", KEEP, "keep-proven", server, backupFolder, proven];
  const { exitCode, stdout, stderr } = await execIn(docker, { container, user: "postgres", command });
  if (exitCode === 0) return;
  throw new OperationError(
    `expected Barman to keep the last backup that a drill has proven, and none else for that reason, but it says: ${barmanWords(stdout + stderr)}`,
  );
}

/** What a person says of a backup is not undone by the next drill. */
export async function leaveToPerson(
  docker: Docker,
  { container, backupFolder }: BackupFolder,
  id: string,
): Promise<void> {
  await execIn(docker, { container, user: "postgres", command: ["rm", "-f", `${backupFolder}/${id}/${MARK}`] });
}
