import { parseStackFile, type ParseResult } from "../../settings/parse.ts";
import { keyText, problemText, warningText } from "../../settings/problems.ts";
import type { Settings } from "../../settings/settings.ts";

export const DEPLOYMENT = { project: "pg-topology", stack: "dev" };

/** Keys of a stack file, without their namespace, and their values as YAML has them. */
export type Keys = Readonly<Record<string, unknown>>;

/** A good stack file, of which each test changes what it is about. */
export const GOOD: Keys = {
  primary: "node-1",
  nodes: [{ name: "node-1", port: 5455 }, { name: "node-2", port: 5456 }, { name: "node-3" }],
};

export interface Circumstances {
  readonly secret?: readonly string[];
  readonly stack?: string;
}

/** Hands a stack file to the parser as the Pulumi CLI would: scalars as text, lists and mappings as JSON. */
export function parseKeys(keys: Keys, { secret = [], stack = DEPLOYMENT.stack }: Circumstances = {}): ParseResult {
  const given = Object.entries(keys).filter(([, value]) => value !== undefined);
  const config = Object.fromEntries(given.map(([key, value]) => [namespaced(key), configText(value)]));
  return parseStackFile({ ...DEPLOYMENT, stack, config, secretKeys: new Set(secret.map(namespaced)) });
}

export function configText(value: unknown): string {
  if (value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function namespaced(key: string): string {
  return key.includes(":") ? key : `${DEPLOYMENT.project}:${key}`;
}

/** The settings of a stack file that has to be good. */
export function settingsOf(keys: Keys, circumstances?: Circumstances): Settings {
  const result = parseKeys(keys, circumstances);
  if (!result.ok)
    throw new Error(
      `unexpected: ${problemsOf(result)
        .map(({ text }) => text)
        .join("\n")}`,
    );
  return result.settings;
}

export function warningsOf(keys: Keys): readonly string[] {
  const result = parseKeys(keys);
  if (!result.ok)
    throw new Error(
      `unexpected: ${problemsOf(result)
        .map(({ text }) => text)
        .join("\n")}`,
    );
  return result.warnings.map((finding) => warningText(finding, DEPLOYMENT.project));
}

export interface ProblemInWords {
  /** The path of its key, without the namespace of the program. */
  readonly key: string;
  readonly text: string;
}

export function problemsOf(result: ParseResult): readonly ProblemInWords[] {
  if (result.ok) return [];
  const { project } = DEPLOYMENT;
  return result.problems.map((finding) => ({
    key: keyText(finding, project).replace(`${project}:`, ""),
    text: problemText(finding, project),
  }));
}
