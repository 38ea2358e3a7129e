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

/** @default false */
export const deletionProtection = onOff("Write true to protect the data volumes from pulumi destroy.");
