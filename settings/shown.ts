import { quoted } from "./key-path.ts";

/** A value in a message. Lists and mappings are named only: they may be of any size. */
export function shown(value: unknown): string {
  if (value === null) return "an empty value";
  if (typeof value === "string") return quoted(value, 60);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return Array.isArray(value) ? "a list" : "a mapping";
}
