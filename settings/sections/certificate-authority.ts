import { z } from "zod";
import { rules } from "../rules.ts";
import { onOff } from "./switches.ts";

const version = z.int().positive().register(rules, {
  what: "a version",
  allowed: "a whole number, 1 or more",
  fix: "Write one more than before to have another authority made.",
});

/** The topology's own certificate authority. */
export const certificateAuthority = z
  .strictObject({
    /** Another version is another authority. @default 1 */
    version: version.default(1),
    /** Whether clients may still come with the certificate of the authority before. @default true */
    trustPrevious: onOff("Write false once all clients have the new certificate.").default(true),
  })
  .register(rules, {
    what: "a mapping",
    allowed: "the keys version and trustPrevious",
    fix: "Write it for example as { version: 2 }.",
  });
