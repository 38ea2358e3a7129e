import { type ImageReference, leadingNumber, parseImageReference } from "./image-reference.ts";

/** Older servers lack what standbys and clones are built on here, and get no fixes any more. */
export const OLDEST_POSTGRES_MAJOR = 14;
/** Of those that a whole topology was run with: of 18 only the contract of its image was. */
export const NEWEST_TESTED_POSTGRES_MAJOR = 17;

/** The version that the tag of an image begins with, or null. */
export function majorOfTag({ tag }: ImageReference): number | null {
  return tag === null ? null : leadingNumber(tag);
}

/** Whether an image's tag is surely PostgreSQL's version: others (timescaledb:2.17-pg17) may count releases of their own. */
export function isTaggedByVersion({ name }: ImageReference): boolean {
  return name.includes("postgres");
}

/** The version of the server in an image; `given` counts more than the tag. Null: nothing says it. */
export function postgresMajorOf(image: string, given: number | undefined): number | null {
  if (given !== undefined) return given;
  const reference = parseImageReference(image);
  return reference === null ? null : majorOfTag(reference);
}
