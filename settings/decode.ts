import { z } from "zod";
import { unwrapped } from "./rules.ts";

/**
 * Turns a value of the configuration into what its author wrote: Pulumi hands every key over as a text,
 * lists and mappings as JSON. What cannot be decoded stays a text, and the schema refuses it.
 */
export function decode(schema: z.core.$ZodType, value: unknown): unknown {
  if (typeof value !== "string") return value;
  const decoded = fromJson(value);
  if (isEmpty(decoded)) return undefined;
  // 17 may be the name of a node, but a list or a mapping is never a text.
  return unwrapped(schema) instanceof z.ZodString && typeof decoded !== "object" ? value : decoded;
}

/** A key without a value is "" today and null in later versions of Pulumi. Pulumi.yaml, too, declares with "" what has no default. */
function isEmpty(decoded: unknown): boolean {
  return decoded === null || (typeof decoded === "string" && decoded.trim() === "");
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
