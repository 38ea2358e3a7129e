import type { KeyPath } from "./key-path.ts";

/** Something in a stack file that its author should know. */
export interface Finding {
  /** A problem stops the update, a warning does not. */
  readonly severity: "problem" | "warning";
  /** Where it is. */
  readonly path: KeyPath;
  /** What is wrong, with the value that was seen, as one sentence without its full stop. Never holds a secret. */
  readonly what: string;
  /** What would be accepted there; null where `what` says it already. */
  readonly allowed: string | null;
  /** What to do about it, in whole sentences. */
  readonly fix: string;
}

/** A finding without its place. */
export interface Words {
  readonly what: string;
  readonly allowed?: string;
  readonly fix: string;
}

export function problem(path: KeyPath, { what, allowed, fix }: Words): Finding {
  return { severity: "problem", path, what, allowed: allowed ?? null, fix };
}

export function warning(path: KeyPath, { what, fix }: Omit<Words, "allowed">): Finding {
  return { severity: "warning", path, what, allowed: null, fix };
}
