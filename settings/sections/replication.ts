import { z } from "zod";
import { rules } from "../rules.ts";
import { postgresName } from "./names.ts";

/** PostgreSQL's own limit on connections of all kinds (MAX_BACKENDS). */
const MOST_CONNECTIONS = 262_143;

const mode = z.enum(["async", "priority", "quorum"]).register(rules, {
  what: "a mode of replication",
  allowed: "async, priority or quorum",
  fix: "Choose async to never wait for a standby, priority to wait for the first ones of the list, quorum to wait for any.",
});

const count = z.int().positive().register(rules, {
  what: "a number of standbys",
  allowed: "a whole number, 1 or more",
  fix: "Say how many standbys must have a change before it counts as written, or leave it out for 1.",
});

const includeBackup = z.boolean().register(rules, {
  what: "a yes or no",
  allowed: "true or false, without quotes",
  fix: "Write true to have writes wait for the backup server besides the standbys.",
});

const whenStandbyMissing = z.enum(["wait", "degrade"]).register(rules, {
  what: "what to do while too few standbys are there to confirm a write",
  allowed: "wait or degrade",
  fix: "Choose wait to let no write count before as many standbys have it, degrade to have an update wait for those that are there.",
});

const synchronous = z
  .strictObject({
    /** @default "async" */
    mode: mode.default("async"),
    /** How many standbys a write waits for. @default 1 */
    count: count.optional(),
    /** Whether a write waits for the backup server too. @default false */
    includeBackup: includeBackup.default(false),
    /** @default "wait" */
    whenStandbyMissing: whenStandbyMissing.optional(),
  })
  .register(rules, {
    what: "a mapping",
    allowed: "the keys mode, count, includeBackup and whenStandbyMissing",
    fix: "Write it for example as { mode: quorum, count: 1 }.",
  });

const connectionLimit = z
  .int()
  .positive()
  .max(MOST_CONNECTIONS)
  .register(rules, {
    what: "a number of connections",
    allowed: `a whole number, 1 to ${MOST_CONNECTIONS}`,
    fix: "Leave it out: the default follows from the number of standbys.",
  });

export const replication = z
  .strictObject({
    /** The role with which standbys log in. @default "repuser" */
    user: postgresName("a name for a role", "repuser").default("repuser"),
    /** @default - enough for all standbys, and at least 10 */
    connectionLimit: connectionLimit.optional(),
    synchronous: synchronous.prefault({}),
  })
  .register(rules, {
    what: "a mapping",
    allowed: "the keys user, connectionLimit and synchronous",
    fix: "Write it for example as { user: repuser, synchronous: { mode: async } }.",
  });
