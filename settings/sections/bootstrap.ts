import { z } from "zod";
import { rules } from "../rules.ts";

/** As Pulumi takes them, without the organization. */
const stack = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{1,100}$/)
  .register(rules, {
    what: "the name of a stack",
    allowed: "letters, digits, and _ . -",
    fix: "Name the stack of this project whose backups are on this engine; its own after a disaster.",
  });

const MOMENT = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)? ?(?:Z|[+-]\d\d(?::?\d\d)?)$/;

/** Without a time zone it would be guessed. */
const at = z.string().regex(MOMENT).register(rules, {
  what: "a moment",
  allowed: "date, time and time zone, in quotes",
  fix: 'Write for example "2026-11-20 14:02:59+00", or leave it out for all that was backed up.',
});

const from = z
  .strictObject({
    stack,
    /** @default - everything that the backup server has received */
    at: at.optional(),
  })
  .register(rules, {
    what: "a source",
    allowed: "the keys stack and at",
    fix: "Write it for example as { stack: production }.",
  });

/** What a cluster is founded from; where there is one already it counts for nothing. */
export const bootstrap = z
  .strictObject({
    /** @default - an empty cluster */
    from: from.optional(),
  })
  .register(rules, {
    what: "a mapping",
    allowed: "the key from",
    fix: "Write it for example as { from: { stack: production } }.",
  });
