import { z } from "zod";
import { rules } from "../rules.ts";

/** What a stack file is held to besides being right. @default "none" */
export const policy = z.enum(["none", "production"]).register(rules, {
  what: "a policy",
  allowed: "none or production",
  fix: "Write production to have a stack file refused that is not fit for data that matters.",
});
