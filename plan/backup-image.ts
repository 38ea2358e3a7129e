import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The folder of the backup server's Dockerfile, from that of Pulumi.yaml. */
export const BACKUP_IMAGE_PATH = "images/barman";

const FOLDER = fileURLToPath(new URL(`../${BACKUP_IMAGE_PATH}`, import.meta.url));

/** A name of its own for every content of the folder and every base: another content is another image. */
export function backupImageName(base: string, folder: string = FOLDER): string {
  const hash = createHash("sha256").update(base);
  for (const file of readdirSync(folder).toSorted())
    hash.update(`\0${file}\0`).update(readFileSync(`${folder}/${file}`));
  return `pg-topology/barman:${hash.digest("hex").slice(0, 16)}`;
}
