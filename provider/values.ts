/** How the engine writes values that are secret or not known yet into what it sends (pulumi/sdk, resource/plugin). */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export const secret = (value: unknown): object => ({ [SIGNATURE]: SECRET_SIGNATURE, value });

/** The value without its wrappings, and every secret text that was in it. */
export function unwrap(value: unknown, secrets: Set<string> = new Set()): unknown {
  if (Array.isArray(value)) return value.map((item) => unwrap(item, secrets));
  if (!isObject(value)) return value;
  if (value[SIGNATURE] === SECRET_SIGNATURE) {
    const inner = unwrap(value["value"], secrets);
    collectTexts(inner, secrets);
    return inner;
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unwrap(item, secrets)]));
}

function collectTexts(value: unknown, texts: Set<string>): void {
  if (typeof value === "string" && value !== "") texts.add(value);
  if (Array.isArray(value)) for (const item of value) collectTexts(item, texts);
  if (isObject(value)) for (const item of Object.values(value)) collectTexts(item, texts);
}

/** Whether a value, or a part of it, will be known only when something else has been made. */
export function hasUnknowns(value: unknown): boolean {
  if (value === UNKNOWN) return true;
  if (Array.isArray(value)) return value.some(hasUnknowns);
  return isObject(value) && Object.values(value).some(hasUnknowns);
}

/** Whether two values mean the same: null and absent are one to the engine, and the order of keys means nothing. */
export function sameValue(a: unknown, b: unknown): boolean {
  return JSON.stringify(canonical(a)) === JSON.stringify(canonical(b));
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (!isObject(value)) return value ?? undefined;
  const entries = Object.entries(value).filter(([, item]) => item !== null && item !== undefined);
  return Object.fromEntries(
    entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, canonical(item)]),
  );
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Takes every secret out of a text that is going to be shown. */
export function redact(text: string, secrets: Iterable<string>): string {
  // The longest first: of one that contains another, nothing may be left.
  const longestFirst = [...secrets].toSorted((a, b) => b.length - a.length);
  if (longestFirst.length === 0) return text;
  const anySecret = longestFirst.map((value) => value.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join("|");
  return text.replaceAll(new RegExp(anySecret, "g"), "[secret]");
}
