import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Images that are built beside the engine, by the name of their folder in images/. */
export type BuiltImage = "barman" | "monitoring";

/** The folder of an image's Dockerfile, from that of Pulumi.yaml. */
export const imagePath = (image: BuiltImage): string => `images/${image}`;

const folderOf = (image: BuiltImage): string => fileURLToPath(new URL(`../${imagePath(image)}`, import.meta.url));

/** A name of its own for every content of the folder and every base: another content is another image. */
export function builtImageName(image: BuiltImage, base: string, folder: string = folderOf(image)): string {
  const hash = createHash("sha256").update(base);
  for (const file of readdirSync(folder).toSorted())
    hash.update(`\0${file}\0`).update(readFileSync(`${folder}/${file}`));
  return `pg-topology/${image}:${hash.digest("hex").slice(0, 16)}`;
}
