import { z } from "zod";
import { isCronSchedule } from "../cron-schedule.ts";
import { rules } from "../rules.ts";

const RETENTION = /^(?:RECOVERY WINDOW OF [1-9]\d{0,3} (?:DAY|WEEK|MONTH)S?|REDUNDANCY [1-9]\d{0,3})$/;

const retention = z.string().regex(RETENTION).register(rules, {
  what: "a retention policy of Barman",
  allowed: "RECOVERY WINDOW OF n DAYS (or WEEKS, or MONTHS), or REDUNDANCY n",
  fix: "Write for example RECOVERY WINDOW OF 7 DAYS to be able to go back to any moment of the last week.",
});

const minimumRedundancy = z.int().min(1).max(1_000).register(rules, {
  what: "a number of backups",
  allowed: "a whole number, 1 or more: the last backup is never removed",
  fix: "Say how many backups no retention policy and no person may remove, or leave it out for 1.",
});

const schedule = z.string().refine(isCronSchedule).register(rules, {
  what: "a schedule",
  allowed: "the five numeric fields of cron, in UTC: minute, hour, day of the month, month, day of the week",
  fix: "Write for example 0 2 * * * for every night at two.",
});

/** Barman knows more; these need nothing that is not in every image. */
const compression = z.enum(["none", "gzip", "bzip2"]).register(rules, {
  what: "a compression",
  allowed: "none, gzip or bzip2",
  fix: "Choose gzip for a WAL archive of about a quarter of its size, none for one that is read fastest.",
});

const lastBackupMaximumAge = z
  .string()
  .regex(/^[1-9]\d{0,3} (?:HOUR|DAY|WEEK|MONTH)S?$/)
  .register(rules, {
    what: "an age",
    allowed: "a number with one of HOURS, DAYS, WEEKS and MONTHS",
    fix: "Write for example 2 DAYS: longer than the time from one backup to the end of the next.",
  });

const from = z.enum(["primary", "standby"]).register(rules, {
  what: "whom base backups are taken from",
  allowed: "primary or standby",
  fix: "Write standby to spare the primary the reading; the WAL comes from the primary all the same.",
});

const enabled = z.boolean().register(rules, {
  what: "a yes or no",
  allowed: "true or false, without quotes",
  fix: "Write true to have a Barman server that receives the WAL and takes backups.",
});

const host = z.string().register(rules, {
  what: "the name of a host",
  allowed: "a name from the hosts",
  fix: "Name the host that the backup server is to be on, or leave it out.",
});

export const backup = z
  .strictObject({
    /** @default false */
    enabled: enabled.default(false),
    /** With hosts: where the backup server is. @default - a host without a node, or else the first that has not the first node */
    host: host.optional(),
    /** Whom base backups are taken from; WAL always comes from the primary. @default "primary" */
    from: from.default("primary"),
    /** @default "RECOVERY WINDOW OF 7 DAYS" */
    retention: retention.default("RECOVERY WINDOW OF 7 DAYS"),
    /** Backups that neither the retention policy nor a person can remove. @default 1 */
    minimumRedundancy: minimumRedundancy.default(1),
    /** @default "0 2 * * *" */
    schedule: schedule.default("0 2 * * *"),
    /** Of the WAL. @default "gzip" */
    compression: compression.default("gzip"),
    /** An older newest backup is a problem. @default "2 DAYS" */
    lastBackupMaximumAge: lastBackupMaximumAge.default("2 DAYS"),
  })
  .register(rules, {
    what: "a mapping",
    allowed:
      "the keys enabled, host, from, retention, minimumRedundancy, schedule, compression and lastBackupMaximumAge",
    fix: "Write it for example as { enabled: true, retention: RECOVERY WINDOW OF 7 DAYS }.",
  });
