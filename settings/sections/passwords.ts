import { z } from "zod";
import { rules } from "../rules.ts";

export const SHORTEST_PASSWORD = 12;

/**
 * Printable ASCII only: of anything else each client makes something different before it logs in (SASLprep),
 * or it cannot stand in a passfile.
 */
const password = z
  .string()
  .regex(/^[ -~]*$/)
  .min(SHORTEST_PASSWORD)
  .max(512)
  .register(rules, {
    what: "a password",
    allowed: `${SHORTEST_PASSWORD} to 512 printable ASCII characters`,
    fix: "Choose a longer or plainer one, or leave it out: one is then generated.",
  });

export const passwords = z
  .strictObject({
    /** @default - generated */
    replication: password.optional(),
    /** @default - generated */
    owner: password.optional(),
  })
  .register(rules, {
    what: "a mapping",
    allowed: "the keys replication and owner",
    fix: "Set each by: pulumi config set --secret --path passwords.owner",
  });
