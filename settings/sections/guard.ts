import { z } from "zod";
import { rules } from "../rules.ts";

const whenPeersUnreachable = z.enum(["start", "wait"]).register(rules, {
  what: "what a primary does at its start while no other node answers",
  allowed: "start or wait",
  fix: "Choose start to have it take writes alone, wait to have it wait until another node answers.",
});

/** What stands in front of every server. */
export const guard = z
  .strictObject({
    /** @default "start" */
    whenPeersUnreachable: whenPeersUnreachable.default("start"),
  })
  .register(rules, {
    what: "a mapping",
    allowed: "the key whenPeersUnreachable",
    fix: "Write it as { whenPeersUnreachable: wait }.",
  });
