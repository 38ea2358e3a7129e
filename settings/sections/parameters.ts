import { z } from "zod";
import { rules } from "../rules.ts";

const parameterName = z
  .string()
  .regex(/^(?!__)[a-z_][a-z0-9_.]{0,126}$/)
  .register(rules, {
    what: "the name of a parameter",
    allowed: "a-z, 0-9, _ and, for those of an extension, a dot",
    fix: "Write it as PostgreSQL's documentation does, in lower case.",
  });

/** A value stands on one line of postgresql.conf. */
const oneLine = z
  .string()
  .max(4_096)
  .refine((text) => text.isWellFormed() && !/[^\P{Cc}\t]/u.test(text));

const parameterValue = z.union([oneLine, z.number(), z.boolean()]).register(rules, {
  what: "a value for a parameter",
  allowed: "a text of one line, a number, true or false",
  fix: "Write several values as one text, for example 'pg_stat_statements, auto_explain'.",
});

export const parameters = z.record(parameterName, parameterValue).register(rules, {
  what: "a mapping",
  allowed: "parameters of postgresql.conf and their values",
  fix: "Write it for example as { shared_buffers: 128MB }.",
});
