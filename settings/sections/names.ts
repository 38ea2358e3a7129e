import { z } from "zod";
import { rules } from "../rules.ts";

/**
 * A name inside PostgreSQL, for a database or a role. PostgreSQL would take more in quotes; these need none
 * in SQL, in pg_hba.conf and in a connection URI, but for the hyphen in SQL.
 */
export const POSTGRES_NAME = /^[a-z_][a-z0-9_-]{0,62}$/;

export function postgresName(what: string, example: string) {
  return z
    .string()
    .regex(POSTGRES_NAME)
    .register(rules, {
      what,
      allowed: "1 to 63 of a-z, 0-9, _ and -, beginning with a letter or _",
      fix: `Choose for example ${example}.`,
    });
}
