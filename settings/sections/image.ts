import { z } from "zod";
import { parseImageReference } from "../image-reference.ts";
import { rules } from "../rules.ts";

export const DEFAULT_IMAGE = "postgres:17";

/** @default "postgres:17" */
export const image = z
  .string()
  .refine((text) => parseImageReference(text) !== null)
  .register(rules, {
    what: "the name of a Docker image",
    allowed:
      "a name in lower case, with a registry, a tag and a digest where needed, such as registry.example:5000/team/postgres:17",
    fix: `Name an image that keeps the contract of the official one, for example ${DEFAULT_IMAGE}.`,
  });

/** @default - the number with which the tag of the image begins */
export const postgresMajor = z.int().positive().register(rules, {
  what: "a major version of PostgreSQL",
  allowed: "a whole number, 14 or more",
  fix: "Give the major version of the server that is in the image, for example 17.",
});
