import { z } from "zod";

/** What a schema accepts, in words: the messages about a refused value are made of it. */
export interface Rule {
  /** Completes "... is not": `a port`. */
  readonly what: string;
  /** Completes "Allowed:". */
  readonly allowed: string;
  /** How to mend it, in whole sentences. */
  readonly fix: string;
  /** Of a mapping: keys that a later version will have, and what they will bring. */
  readonly later?: Readonly<Record<string, string>>;
}

/** The rule of each schema: one for every leaf, list and mapping of the stack file. */
export const rules = z.registry<Rule>();

/** The schema of a value that is there: without the layers that say what counts where none is. */
export function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  const isLayer = schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault;
  return isLayer ? unwrapped(schema.unwrap()) : schema;
}
