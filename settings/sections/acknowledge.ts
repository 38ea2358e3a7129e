import { z } from "zod";
import { rules } from "../rules.ts";
import { onOff } from "./switches.ts";

const lostBytes = z.union([z.int().nonnegative(), z.literal("unknown")]).register(rules, {
  what: "a number of bytes",
  allowed: "a whole number, 0 or more, or unknown",
  fix: "Say how many bytes of WAL may be lost; the refused preview names how many there are, or that nobody can tell.",
});

const unfencedNode = z.string().register(rules, {
  what: "the name of a node",
  allowed: "a name from the list of nodes",
  fix: "Name the node that cannot be stopped first, because its host cannot be reached.",
});

const unfenced = z.array(unfencedNode).register(rules, {
  what: "a list of nodes",
  allowed: "a list of names from the list of nodes",
  fix: "Write it for example as [node-1].",
});

const failover = z.strictObject({ lostBytes: lostBytes.default(0), unfenced: unfenced.default([]) }).register(rules, {
  what: "an acknowledged failover",
  allowed: "the keys lostBytes and unfenced",
  fix: "Write it as { lostBytes: 0 }, with the number that the refused preview names, or with its word unknown.",
});

const rejoiningNode = z.string().register(rules, {
  what: "the name of a node",
  allowed: "a name from the list of nodes",
  fix: "Name the node whose own rows may be discarded.",
});

/** As Docker takes them. */
const volume = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/)
  .register(rules, {
    what: "the name of a Docker volume",
    allowed: "a name as the refused preview gives it",
    fix: "Name the volume that may be deleted, for example pg-topology-dev-node-1-data.",
  });

/** Losses that the author of the stack file accepts, each meant for one update. */
export const acknowledge = z
  .strictObject({
    /** @default - no row may be lost */
    failover: failover.optional(),
    /** Nodes whose own rows may be discarded. @default [] */
    rejoin: z
      .array(rejoiningNode)
      .register(rules, {
        what: "a list of nodes",
        allowed: "a list of names from the list of nodes",
        fix: "Write it for example as [node-1].",
      })
      .default([]),
    /** Docker volumes that may be deleted with the only copy of what is in them. @default [] */
    volumes: z
      .array(volume)
      .register(rules, {
        what: "a list of volumes",
        allowed: "a list of names of Docker volumes",
        fix: "Write it for example as [pg-topology-dev-archive].",
      })
      .default([]),
    /** Whether writes may wait for fewer standbys than before. @default false */
    synchronous: onOff("Write true to let writes wait for fewer standbys than before.").default(false),
  })
  .register(rules, {
    what: "a mapping",
    allowed: "the keys failover, rejoin, volumes and synchronous",
    fix: "Write what the refused preview says, and take it out after the update.",
  });
