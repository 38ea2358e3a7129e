import { z } from "zod";
import { spanSeconds } from "../durations.ts";
import { rules } from "../rules.ts";

const enabled = z.boolean().register(rules, {
  what: "a yes or no",
  allowed: "true or false, without quotes",
  fix: "Write true to have every new backup restored and checked by the next update.",
});

const every = z
  .string()
  .refine((text) => !Number.isNaN(spanSeconds(text)))
  .register(rules, {
    what: "a span of time",
    allowed: "a whole number with one of the units min, h and d",
    fix: "Write for example 1d, or leave it out to drill new backups only.",
  });

const assertion = z.string().min(1).max(10_000).register(rules, {
  what: "an assertion",
  allowed: "a query of SQL whose only value is true where all is well",
  fix: "Write for example SELECT count(*) > 0 FROM orders.",
});

const assertions = z.array(assertion).register(rules, {
  what: "a list of assertions",
  allowed: "a list of queries",
  fix: "Write it for example as [SELECT count(*) > 0 FROM orders].",
});

export const drill = z
  .strictObject({
    /** @default false */
    enabled: enabled.default(false),
    /** After so long the same backup is restored again, with the WAL since. @default - new backups only */
    every: every.optional(),
    /** Asked in the database of the stack file, in the restored server. @default [] */
    assertions: assertions.default([]),
  })
  .register(rules, {
    what: "a mapping",
    allowed: "the keys enabled, every and assertions",
    fix: "Write it for example as { enabled: true, assertions: [SELECT count(*) > 0 FROM orders] }.",
  });
