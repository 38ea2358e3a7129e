import { type Finding, problem, warning } from "../findings.ts";
import { type ImageReference, parseImageReference } from "../image-reference.ts";
import {
  OLDEST_POSTGRES_MAJOR,
  NEWEST_TESTED_POSTGRES_MAJOR,
  isTaggedByVersion,
  majorOfTag,
} from "../postgres-major.ts";
import { shown } from "../shown.ts";
import type { KeyPath } from "../key-path.ts";
import { listedNodes } from "./check.ts";
import type { Check, ListedNode } from "./check.ts";

/** The image keeps the official contract, and the major version of its server is known and supported. */
export const checkImage: Check = (file) => {
  const { image, postgresMajor } = file;
  const reference = image === undefined ? null : parseImageReference(image);
  if (image === undefined || reference === null) return [];
  const major = postgresMajor ?? majorOfTag(reference);
  return [
    ...checkUid(["image"], image, reference),
    ...checkMajor(image, reference, postgresMajor),
    ...listedNodes(file).flatMap((node) => checkNodeImage(node, major)),
  ];
};

/** One cluster, one major: a standby of another could not open its files. */
function checkNodeImage({ index, image }: ListedNode, major: number | null): readonly Finding[] {
  const reference = image === undefined ? null : parseImageReference(image);
  if (image === undefined || reference === null) return [];
  const path: KeyPath = ["nodes", index, "image"];
  const tagged = isTaggedByVersion(reference) ? majorOfTag(reference) : null;
  if (tagged === null || major === null || tagged === major) return checkUid(path, image, reference);
  return [
    problem(path, {
      what: `${shown(image)} is PostgreSQL ${tagged}, and the topology is PostgreSQL ${major}`,
      fix: `Name an image of PostgreSQL ${major}; to change the major, make a second stack and move the data with pg_dump.`,
    }),
  ];
}

function checkUid(path: KeyPath, image: string, { tag }: ImageReference): readonly Finding[] {
  if (tag === null || !/alpine/i.test(tag)) return [];
  return [
    problem(path, {
      what: `${shown(image)} runs PostgreSQL as user 70, as all images on Alpine do`,
      allowed: "an image whose user postgres is 999:999, which owns the files that are written for it",
      fix: "Take the same tag without -alpine.",
    }),
  ];
}

function checkMajor(image: string, reference: ImageReference, given: number | undefined): readonly Finding[] {
  const tagged = majorOfTag(reference);
  if (tagged === null && given === undefined) {
    return [
      problem(["postgresMajor"], {
        what: `it is missing, and the tag of ${shown(image)} does not begin with the version`,
        allowed: `the major version of the server in the image, ${OLDEST_POSTGRES_MAJOR} or more`,
        fix: "Set it, for example by: pulumi config set postgresMajor 17",
      }),
    ];
  }
  if (tagged !== null && given !== undefined && tagged !== given && isTaggedByVersion(reference)) {
    return [
      problem(["postgresMajor"], {
        what: `${given} is not the version of ${shown(image)}, whose tag says ${tagged}`,
        fix: "Leave it out, or name the image that you mean.",
      }),
    ];
  }
  return given === undefined
    ? checkTaggedMajor(image, tagged ?? 0)
    : checkRange(["postgresMajor"], given, String(given));
}

function checkTaggedMajor(image: string, major: number): readonly Finding[] {
  return checkRange(["image"], major, `${shown(image)}, by its tag PostgreSQL ${major},`);
}

function checkRange(path: readonly string[], major: number, seen: string): readonly Finding[] {
  if (major < OLDEST_POSTGRES_MAJOR) {
    return [
      problem(path, {
        what: `${seen} is too old`,
        allowed: `PostgreSQL ${OLDEST_POSTGRES_MAJOR} or later`,
        fix: "Take a newer image; if its tag counts something else than PostgreSQL's version, set postgresMajor.",
      }),
    ];
  }
  if (major <= NEWEST_TESTED_POSTGRES_MAJOR) return [];
  return [
    warning(path, {
      what: `${seen} is newer than what was tested`,
      fix: `The newest version that was is ${NEWEST_TESTED_POSTGRES_MAJOR}.`,
    }),
  ];
}
