import { execa } from "execa";
import { expect, test } from "vitest";
import { PROJECT_DIRECTORY } from "../support/project.ts";

/** What a tool has to say against the project; "" if nothing. */
async function objections(tool: string, ...args: string[]): Promise<string> {
  const options = { cwd: PROJECT_DIRECTORY, preferLocal: true, reject: false, all: true } as const;
  const { failed, all } = await execa(tool, args, options);
  return failed ? all : "";
}

test.concurrent("every file is formatted (npm run format)", async () => {
  expect(await objections("prettier", "--check", ".")).toBe("");
});

test.concurrent("lint has no error and no warning (npm run lint)", async () => {
  expect(await objections("eslint", "--max-warnings=0", ".")).toBe("");
});

test.concurrent("all types fit (npm run typecheck)", async () => {
  expect(await objections("tsc", "--noEmit")).toBe("");
  expect(await objections("tsc", "--noEmit", "-p", "dashboard/browser")).toBe("");
});
