/** The way from the top of the stack file to a value: `["nodes", 1, "port"]`. Empty for what concerns the stack as a whole. */
export type KeyPath = readonly (string | number)[];

const LONGEST_KEY = 80;
const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** The path as `pulumi config set --path` takes it: `nodes[1].port`, `parameters["a b"]`. */
export function pathText(path: KeyPath): string {
  return path.map((step, position) => stepText(step, position === 0)).join("");
}

function stepText(step: string | number, isFirst: boolean): string {
  if (typeof step === "number") return `[${step}]`;
  if (!PLAIN_KEY.test(step) || step.length > LONGEST_KEY)
    return isFirst ? printable(step, LONGEST_KEY) : `[${quoted(step, LONGEST_KEY)}]`;
  return isFirst ? step : `.${step}`;
}

/** A text in quotes, fit for one line of a terminal: shortened, with everything invisible escaped. */
export function quoted(text: string, longest: number): string {
  return `"${printable(text, longest)}"`;
}

function printable(text: string, longest: number): string {
  const shown = text.length > longest ? `${text.slice(0, longest)}...` : text;
  return JSON.stringify(shown)
    .slice(1, -1)
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
