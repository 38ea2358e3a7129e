import { z } from "zod";
import { rules } from "../rules.ts";
import { postgresName } from "./names.ts";

export const database = z
  .strictObject({
    /** @default "app" */
    name: postgresName("a name for a database", "app").default("app"),
    /** The role that owns the database. @default "app" */
    owner: postgresName("a name for a role", "app").default("app"),
  })
  .register(rules, {
    what: "a mapping",
    allowed: "the keys name and owner",
    fix: "Write it for example as { name: app, owner: app }.",
  });
