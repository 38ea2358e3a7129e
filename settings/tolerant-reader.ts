import { z } from "zod";
import { didYouMean } from "./did-you-mean.ts";
import type { Draft } from "./draft.ts";
import { type Finding, problem, type Words } from "./findings.ts";
import type { KeyPath } from "./key-path.ts";
import { type Rule, rules, unwrapped } from "./rules.ts";
import { shown } from "./shown.ts";

/** In place of a value that is not to be looked at: it counts as refused already. */
export const UNREADABLE = Symbol("unreadable");

/** Reads what a schema describes, and reports what does not fit instead of giving up at it. */
export class TolerantReader {
  readonly findings: Finding[] = [];
  readonly #isHidden: (path: KeyPath) => boolean;

  /** @param isHidden Says of which values nothing may be shown. */
  constructor(isHidden: (path: KeyPath) => boolean) {
    this.#isHidden = isHidden;
  }

  /** What can be read of `value`; everything else is in `findings` afterwards. */
  read<Schema extends z.ZodType>(schema: Schema, value: unknown, path: KeyPath = []): Draft<z.output<Schema>> {
    // The walk below follows the schema, so that what it returns has the schema's shape.
    return this.#read(schema, value, path) as Draft<z.output<Schema>>;
  }

  #read(schema: z.core.$ZodType, value: unknown, path: KeyPath): unknown {
    if (value === UNREADABLE) return undefined;
    if (value === undefined) return this.#readAbsent(schema, path);
    const inner = unwrapped(schema);
    // A section whose lines were all commented out is null in YAML, and means an empty section.
    if (inner instanceof z.ZodObject) return this.#readMapping(inner, value ?? {}, path);
    if (inner instanceof z.ZodRecord) return this.#readRecord(inner, value ?? {}, path);
    if (inner instanceof z.ZodArray) return this.#readList(inner, value ?? [], path);
    return this.#readLeaf(inner, value, path);
  }

  #readAbsent(schema: z.core.$ZodType, path: KeyPath): unknown {
    const result = z.safeParse(schema, undefined);
    if (result.success) return result.data;
    const { allowed, fix } = ruleOf(schema);
    this.#report(path, { what: "it is missing", allowed, fix });
    return undefined;
  }

  #readMapping(schema: z.ZodObject, value: unknown, path: KeyPath): unknown {
    if (!isMapping(value)) return this.#refuse(schema, value, path);
    const known = Object.keys(schema.shape);
    for (const key of Object.keys(value)) {
      if (!known.includes(key)) this.#reportUnknownKey(schema, known, key, path);
    }
    const entries = Object.entries<z.core.$ZodType>(schema.shape).map(([key, inner]) => [
      key,
      this.#read(inner, own(value, key), [...path, key]),
    ]);
    return Object.fromEntries(entries);
  }

  #readRecord(schema: z.ZodRecord, value: unknown, path: KeyPath): unknown {
    if (!isMapping(value)) return this.#refuse(schema, value, path);
    const entries = Object.entries(value).map(([key, inner]) => {
      const isKey = z.safeParse(schema.keyType, key).success;
      return [
        key,
        isKey ? this.#read(schema.valueType, inner, [...path, key]) : this.#refuse(schema.keyType, key, [...path, key]),
      ];
    });
    return Object.fromEntries(entries);
  }

  #readList(schema: z.ZodArray, value: unknown, path: KeyPath): unknown {
    if (!Array.isArray(value)) return this.#refuse(schema, value, path);
    return value.map((element: unknown, index) => this.#read(schema.element, element ?? null, [...path, index]));
  }

  #readLeaf(schema: z.core.$ZodType, value: unknown, path: KeyPath): unknown {
    const result = z.safeParse(schema, value);
    return result.success ? result.data : this.#refuse(schema, value, path);
  }

  #refuse(schema: z.core.$ZodType, value: unknown, path: KeyPath): unknown {
    const { what, allowed, fix } = ruleOf(schema);
    const seen = this.#isHidden(path) ? "the value (not shown)" : shown(value);
    this.#report(path, { what: `${seen} is not ${what}`, allowed, fix });
    return undefined;
  }

  #reportUnknownKey(schema: z.ZodObject, known: readonly string[], key: string, path: KeyPath): void {
    const { allowed, fix, later } = ruleOf(schema);
    // A slip like {owner:secret} makes the password part of the key.
    if (this.#isHidden(path)) this.#report(path, { what: "one of its keys is not known", allowed, fix });
    else this.#report([...path, key], unknownKeyWords(key, known, later ?? {}));
  }

  #report(path: KeyPath, words: Words): void {
    this.findings.push(problem(path, words));
  }
}

function ruleOf(schema: z.core.$ZodType): Rule {
  const rule = rules.get(unwrapped(schema));
  if (rule === undefined) throw new Error("a schema of the stack file has no rule in words");
  return rule;
}

function unknownKeyWords(key: string, known: readonly string[], later: Readonly<Record<string, string>>): Words {
  const comingLater = own(later, key);
  if (comingLater !== undefined) {
    return { what: `${comingLater}: this version does not have it yet`, fix: "Remove the key." };
  }
  const what = "there is no such key";
  const [whole] = /^\w+(?=[.[])/.exec(key) ?? [];
  if (whole !== undefined && known.includes(whole)) {
    return { what, fix: `To set a part of ${whole}, use: pulumi config set --path` };
  }
  const meant = didYouMean(key, known);
  return meant === null
    ? { what, allowed: known.join(", "), fix: "Remove it." }
    : { what, fix: `Did you mean ${meant}?` };
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function own<Value>(mapping: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(mapping, key) ? mapping[key] : undefined;
}
