import type { ParameterKind } from "./known-parameters.ts";

/** A value as postgresql.conf has it: true is on. */
export function parameterText(value: string | number | boolean): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  return String(value);
}

const TRUE_WORDS: ReadonlySet<string> = new Set(["on", "true", "yes", "1"]);
const FALSE_WORDS: ReadonlySet<string> = new Set(["off", "false", "no", "0"]);

export function isTrue(text: string): boolean {
  return TRUE_WORDS.has(text.toLowerCase());
}

export function isFalse(text: string): boolean {
  return FALSE_WORDS.has(text.toLowerCase());
}

/** What a kind of parameter accepts; `allowed` is for messages. */
interface Format {
  readonly accepts: (text: string) => boolean;
  readonly what: string;
  readonly allowed: string;
}

const INTEGER = /^[+-]?(?:\d+|0x[0-9a-f]+)$/i;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const MEMORY = /^[+-]?\d+(?:\.\d+)?\s*(?:B|kB|MB|GB|TB)?$/;
const TIME = /^[+-]?\d+(?:\.\d+)?\s*(?:us|ms|s|min|h|d)?$/;

const SIZE: Format = {
  accepts: matches(MEMORY),
  what: "a size",
  allowed: "a number and a unit of B, kB, MB, GB and TB, in exactly this spelling",
};
const FORMATS: Readonly<Record<Exclude<ParameterKind, "text">, Format>> = {
  boolean: {
    accepts: (text) => isTrue(text) || isFalse(text),
    what: "on or off",
    allowed: "on, off, true, false, yes, no, 1 or 0",
  },
  integer: { accepts: matches(INTEGER), what: "a whole number", allowed: "a whole number, without a unit" },
  number: { accepts: matches(NUMBER), what: "a number", allowed: "a number, without a unit" },
  memory: SIZE,
  pages: SIZE,
  time: {
    accepts: matches(TIME),
    what: "a span of time",
    allowed: "a number and a unit of us, ms, s, min, h and d, in exactly this spelling",
  },
};

/** Null: the server checks it. */
export function formatOf(kind: ParameterKind | null): Format | null {
  return kind === null || kind === "text" ? null : FORMATS[kind];
}

function matches(pattern: RegExp): (text: string) => boolean {
  return (text) => pattern.test(text.trim());
}

/** How people write units, and how PostgreSQL does. */
const UNIT_SPELLINGS: readonly (readonly [kinds: readonly ParameterKind[], spelling: RegExp, unit: string])[] = [
  [["memory", "pages"], /^(?:b|bytes?)$/i, "B"],
  [["memory", "pages"], /^k(?:i?bs?|ilobytes?)?$/i, "kB"],
  [["memory", "pages"], /^m(?:i?bs?|egabytes?)?$/i, "MB"],
  [["memory", "pages"], /^g(?:i?bs?|igabytes?)?$/i, "GB"],
  [["memory", "pages"], /^t(?:i?bs?|erabytes?)?$/i, "TB"],
  [["time"], /^(?:us|usecs?|microseconds?)$/i, "us"],
  [["time"], /^(?:ms|msecs?|milliseconds?)$/i, "ms"],
  [["time"], /^(?:s|secs?|seconds?)$/i, "s"],
  [["time"], /^(?:m|mins?|minutes?)$/i, "min"],
  [["time"], /^(?:h|hrs?|hours?)$/i, "h"],
  [["time"], /^(?:d|days?)$/i, "d"],
];

/** A value whose unit is misspelt, as PostgreSQL would have it: `5 minutes` is 5min. Null: not to be guessed. */
export function withSpeltUnit(kind: ParameterKind, text: string): string | null {
  const [, amount, written] = /^([+-]?\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(text.trim()) ?? [];
  if (amount === undefined || written === undefined) return null;
  const unit = UNIT_SPELLINGS.find(([kinds, spelling]) => kinds.includes(kind) && spelling.test(written))?.[2];
  return unit === undefined ? null : amount + unit;
}

const UNIT_MILLISECONDS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A span of time as PostgreSQL takes it where it counts milliseconds. */
export function timeMilliseconds(text: string): number {
  const [, amount, unit] = /^([+-]?[\d.]+)\s*([a-z]*)$/.exec(text.trim()) ?? [];
  return Number(amount) * (UNIT_MILLISECONDS[unit || "ms"] ?? Number.NaN);
}
