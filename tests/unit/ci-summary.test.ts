import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { expect, onTestFinished, test } from "vitest";
import { PROJECT_DIRECTORY } from "../support/project.ts";

interface TestFile {
  readonly status: "passed" | "failed";
  readonly assertionResults: readonly { readonly status: "passed" | "failed" | "skipped" }[];
}

const file = (status: TestFile["status"], ...tests: TestFile["assertionResults"][number]["status"][]): TestFile => ({
  status,
  assertionResults: tests.map((test) => ({ status: test })),
});

/** The last line for these results of vitest, and the exit code that goes with it. */
async function summary(testResults: readonly TestFile[], exitCode: number): Promise<readonly unknown[]> {
  const directory = await mkdtemp(join(tmpdir(), "pg-topology-summary-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const report = join(directory, "report.json");
  await writeFile(report, JSON.stringify({ testResults }));
  const script = join(PROJECT_DIRECTORY, ".ci", "summary.ts");
  const result = await execa("node", [script, report, String(exitCode)], { reject: false });
  return [result.stdout, result.exitCode];
}

test.each([
  ["all passed", [file("passed", "passed", "passed"), file("passed", "passed")], 0, "3 passed, 0 failed", 0],
  ["one test failed", [file("failed", "passed", "failed"), file("passed", "passed")], 1, "2 passed, 1 failed", 1],
  ["the set-up of a file failed", [file("failed", "skipped", "skipped")], 1, "0 passed, 1 failed", 1],
  ["a file cannot be loaded", [file("failed"), file("passed", "passed")], 1, "1 passed, 1 failed", 1],
  ["an error outside of all tests", [file("passed", "passed")], 1, "1 passed, 1 failed", 1],
  ["nothing ran", [], 0, "0 passed, 1 failed", 1],
] as const)("%s", async (_title, files, exitCode, line, expected) => {
  expect(await summary(files, exitCode)).toEqual([line, expected]);
});
