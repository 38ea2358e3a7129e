import { z } from "zod";
import { rules } from "../rules.ts";

const seconds = z.number().positive().max(31_536_000).register(rules, {
  what: "a number of seconds",
  allowed: "a number above 0",
  fix: "Write for example 60, or leave it out to have no such objective.",
});

const bytes = z.int().min(0).register(rules, {
  what: "a number of bytes",
  allowed: "a whole number, 0 or more",
  fix: "Write for example 16777216, or leave it out to have no such objective.",
});

const milliseconds = z.int().positive().register(rules, {
  what: "a number of milliseconds",
  allowed: "a whole number, 1 or more",
  fix: "Write for example 1000, or leave it out to have no such objective.",
});

const enforce = z.boolean().register(rules, {
  what: "a yes or no",
  allowed: "true or false, without quotes",
  fix: "Write false to be warned of a missed objective, instead of a failing update.",
});

/** What is not given is no objective. */
export const objectives = z
  .strictObject({
    /** Of the last drill. */
    rpoSeconds: seconds.optional(),
    /** Of the last drill. */
    rtoSeconds: seconds.optional(),
    /** Of every standby without an applyDelay. */
    maxReplayLagBytes: bytes.optional(),
    /** Of the last switchover and the last restart. */
    maxWriteGapMs: milliseconds.optional(),
    /** @default true */
    enforce: enforce.default(true),
  })
  .register(rules, {
    what: "a mapping",
    allowed: "the keys rpoSeconds, rtoSeconds, maxReplayLagBytes, maxWriteGapMs and enforce",
    fix: "Write it for example as { rpoSeconds: 60, rtoSeconds: 300 }.",
  });
