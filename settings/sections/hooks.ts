import { z } from "zod";
import { rules } from "../rules.ts";

/** Commands of the user's at points of an update. */
export const hooks = z
  .strictObject({
    /** @default - none */
    afterPromotion: z
      .string()
      .min(1)
      .register(rules, {
        what: "a command",
        allowed: "a line of shell, run in the folder of Pulumi.yaml",
        fix: "Write it for example as ./repoint-dns.sh.",
      })
      .optional(),
  })
  .register(rules, {
    what: "a mapping",
    allowed: "the key afterPromotion",
    fix: "Write it as { afterPromotion: ./repoint-dns.sh }.",
  });
