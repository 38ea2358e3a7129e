import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ESLint } from "eslint";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { PROJECT_DIRECTORY } from "../support/project.ts";

const eslint = new ESLint({ cwd: PROJECT_DIRECTORY });

/** What the rules of directions say of a file of that path with that text. */
async function objections(path: string, text: string): Promise<string[]> {
  const results = await eslint.lintText(text, { filePath: path });
  return results
    .flatMap(({ messages }) => messages)
    .filter(({ ruleId }) => ruleId === "@typescript-eslint/no-restricted-imports" || ruleId === "no-restricted-syntax")
    .map(({ message }) => message);
}

// Each stands for an existing file, since rules that know types read no other.
const REFUSED: readonly (readonly [path: string, text: string, why: string])[] = [
  ["operations/errors.ts", 'import "@pulumi/pulumi";', "knows nothing of Pulumi"],
  ["operations/errors.ts", 'import type { Plan } from "../plan/plan.ts";', "imports nothing from plan/"],
  ["operations/errors.ts", 'import { parseStackFile } from "../settings/parse.ts";', "imports nothing from settings/"],
  ["operations/errors.ts", 'import { secret } from "../provider/values.ts";', "imports nothing from provider/"],
  ["operations/errors.ts", 'import { asLabels } from "../components/labels.ts";', "imports nothing from components/"],
  ["plan/names.ts", 'import "@pulumi/docker";', "knows nothing of Pulumi"],
  ["plan/names.ts", 'import { resolve } from "../settings/resolve.ts";', "imports only types from settings/"],
  ["plan/names.ts", 'import { one } from "../operations/sql.ts";', "imports nothing from operations/"],
  ["config-templates/render.ts", 'import { layoutOf } from "../plan/layout.ts";', "imports nothing from plan/"],
  ["settings/checks/nodes.ts", 'import { slotName } from "../../plan/names.ts";', "imports nothing from plan/"],
  ["components/labels.ts", 'import { one } from "../operations/sql.ts";', "imports only types from operations/"],
  ["components/labels.ts", 'import { secret } from "../provider/values.ts";', "imports nothing from provider/"],
  [
    "components/labels.ts",
    'import type { Settings } from "../settings/settings.ts";',
    "imports nothing from settings/",
  ],
  [
    "provider/resources/role.ts",
    'import { one } from "../../operations/sql.ts";',
    "imports only types from operations/",
  ],
  [
    "provider/handlers/role.ts",
    'import { Role } from "../resources/role.ts";',
    "imports only types from provider/resources/",
  ],
  ["provider/handlers/role.ts", 'import { slotName } from "../../plan/names.ts";', "imports nothing from plan/"],
  ["dashboard/history.ts", 'import { slotName } from "../plan/names.ts";', "imports nothing from plan/"],
  ["operations/errors.ts", 'import { graphOf } from "../dashboard/graph.ts";', "imports nothing from dashboard/"],
  ["commands/status.ts", 'import { readSettings } from "../settings/read.ts";', "imports nothing from settings/"],
  ["plan/names.ts", 'import * as pulumi from "x"; new pulumi.Config();', "only settings/ reads the configuration"],
  ["components/labels.ts", 'import { Config } from "@pulumi/pulumi";', "only settings/ reads the configuration"],
  ["index.ts", "pulumi.runtime.allConfig();", "only settings/ reads the configuration"],
];

const ALLOWED: readonly (readonly [path: string, text: string])[] = [
  ["index.ts", 'import { makePlan } from "./plan/make-plan.ts"; import { readSettings } from "./settings/read.ts";'],
  ["plan/names.ts", 'import type { Settings } from "../settings/settings.ts";'],
  ["plan/names.ts", 'import { render } from "../config-templates/render.ts";'],
  ["components/labels.ts", 'import { Role } from "../provider/resources/role.ts";'],
  ["components/labels.ts", 'import type { Slot } from "../operations/slots.ts";'],
  ["provider/handlers/role.ts", 'import { one } from "../../operations/sql.ts";'],
  ["provider/handlers/role.ts", 'import type { RoleInputs } from "../resources/role.ts";'],
  ["commands/status.ts", 'import { one } from "../operations/sql.ts"; import { LABELS } from "../plan/names.ts";'],
  ["commands/status.ts", 'import { graphOf } from "../dashboard/graph.ts";'],
  ["dashboard/history.ts", 'import { one } from "../operations/sql.ts";'],
  ["settings/read.ts", "pulumi.runtime.allConfig();"],
];

describe("imports run one way", () => {
  test.each(REFUSED)("%s refuses %s", async (path, text, why) => {
    expect(await objections(path, text)).toEqual([expect.stringContaining(why)]);
  });

  test.each(ALLOWED)("%s may have %s", async (path, text) => {
    expect(await objections(path, text)).toEqual([]);
  });
});

test("no file imports itself in a circle", async () => {
  const { stdout } = await execa("git", ["ls-files", "*.ts"], { cwd: PROJECT_DIRECTORY });
  const files = stdout.split("\n").filter((file) => existsSync(join(PROJECT_DIRECTORY, file)));
  const importsOf = new Map(files.map((file) => [file, valueImports(file)]));
  expect(files.map((file) => circle(importsOf, file)).filter((found) => found !== undefined)).toEqual([]);
});

/** What a file loads of the project when it runs: types are erased. */
function valueImports(file: string): string[] {
  const text = readFileSync(join(PROJECT_DIRECTORY, file), "utf8");
  const paths = [...text.matchAll(/^(?:import|export) (?!type )[^;]*?from "(\.[^"]+)";$/gm)].map(
    ([, path = ""]) => path,
  );
  return paths.map((path) => join(dirname(file), path));
}

/** A way from a file back to itself. */
function circle(importsOf: ReadonlyMap<string, readonly string[]>, start: string): string[] | undefined {
  const seen = new Set<string>();
  const follow = (trail: readonly string[]): string[] | undefined => {
    for (const next of importsOf.get(trail.at(-1) ?? "") ?? []) {
      if (next === start) return [...trail, next];
      if (seen.has(next)) continue;
      seen.add(next);
      const found = follow([...trail, next]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return follow([start]);
}

test("an output in a template literal is refused", async () => {
  const text =
    'import * as pulumi from "@pulumi/pulumi"; export const a = (b: pulumi.Output<string>): string => `${b}`;';
  const [result] = await eslint.lintText(text, { filePath: "components/labels.ts" });
  expect(result?.messages.map(({ ruleId }) => ruleId)).toContain("@pulumi/no-output-in-template-literal");
});
