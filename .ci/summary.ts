// summary.ts REPORT EXIT-CODE: the last line of .ci/run, from vitest's JSON report and its exit code.
import { readFileSync } from "node:fs";

interface Report {
  readonly testResults: readonly TestFile[];
}

interface TestFile {
  readonly status: string;
  readonly assertionResults: readonly { readonly status: string }[];
}

const [report = "", exitCode = ""] = process.argv.slice(2);
const files = (JSON.parse(readFileSync(report, "utf8")) as Report).testResults;

const passed = sum(files.map((file) => count(file, "passed")));
const failedTests = sum(files.map(failures));
// What ended badly without a failed test, such as an error outside of all tests, is a failure too.
const failed = failedTests === 0 && (exitCode !== "0" || passed === 0) ? 1 : failedTests;

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function count(file: TestFile, status: string): number {
  return file.assertionResults.filter((test) => test.status === status).length;
}

/** A file that cannot be loaded, or whose set-up fails, counts as one although none of its tests ran. */
function failures(file: TestFile): number {
  return Math.max(count(file, "failed"), file.status === "failed" ? 1 : 0);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
