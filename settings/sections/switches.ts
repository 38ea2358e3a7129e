import { z } from "zod";
import { rules } from "../rules.ts";

export const onOff = (fix: string) =>
  z.boolean().register(rules, { what: "a yes or no", allowed: "true or false, without quotes", fix });

export const archiving = z
  .strictObject({
    /** @default false */
    enabled: onOff("Write true to keep a WAL archive in a volume of its own.").default(false),
  })
  .register(rules, { what: "a mapping", allowed: "the key enabled", fix: "Write it as { enabled: true }." });

const noBackup = z.literal(false).register(rules, {
  what: "possible: backups are not in this version yet",
  allowed: "false",
  fix: "Leave the key out. archiving: { enabled: true } keeps the WAL already.",
});

/** Reserved. It may be written down as switched off. */
export const backup = z.strictObject({ enabled: noBackup.default(false) }).register(rules, {
  what: "a mapping",
  allowed: "{ enabled: false }, for this version has no backups yet",
  fix: "Leave the key out.",
});

/** @default false */
export const deletionProtection = onOff("Write true to protect the data volumes from pulumi destroy.");
