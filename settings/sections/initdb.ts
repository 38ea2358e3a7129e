import { z } from "zod";
import { rules } from "../rules.ts";

const argument = z
  .string()
  .max(1_024)
  .refine((text) => text !== "" && text.isWellFormed() && !/\p{Cc}/u.test(text))
  .register(rules, {
    what: "an argument of initdb",
    allowed: "a text of one line",
    fix: "Write each argument as one text, for example --locale=C.UTF-8.",
  });

export const initdb = z
  .strictObject({
    /** @default [] */
    arguments: z
      .array(argument)
      .register(rules, {
        what: "a list of arguments",
        allowed: "a list of texts",
        fix: "Write it for example as [--locale=C.UTF-8].",
      })
      .default([]),
  })
  .register(rules, {
    what: "a mapping",
    allowed: "the key arguments",
    fix: "Write it for example as { arguments: [--locale=C.UTF-8] }.",
  });
