import { expect, test } from "vitest";
import { parseCheck } from "../../operations/barman.ts";

const lines = (checks: object): string => JSON.stringify({ production: checks });
const PASSED = { wal_archive: { status: "OK", hint: "" } };
const FAILED = { ...PASSED, backup_maximum_age: { status: "FAILED", hint: "3 days" } };

test("what Barman checks is told in its words", () => {
  expect(parseCheck({ exitCode: 1, stdout: lines(FAILED), stderr: "" }, "production")).toEqual([
    { what: "wal archive", ok: true, hint: "" },
    { what: "backup maximum age", ok: false, hint: "3 days" },
  ]);
  expect(parseCheck({ exitCode: 0, stdout: lines(PASSED), stderr: "" }, "production")).toEqual([
    { what: "wal archive", ok: true, hint: "" },
  ]);
});

test.each([
  ["was killed", { exitCode: 137, stdout: "", stderr: "" }, "it ended with exit code 137"],
  ["did not end", { exitCode: -1, stdout: "", stderr: "" }, "it ended with exit code -1"],
  [
    "says why it did not check",
    { exitCode: 1, stdout: "", stderr: "ERROR: no space left" },
    "exit code 1: no space left",
  ],
  ["knows no such server", { exitCode: 0, stdout: "{}", stderr: "" }, "it ended with exit code 0"],
  ["has checked nothing", { exitCode: 0, stdout: lines({}), stderr: "" }, "it ended with exit code 0"],
  ["ended before it had checked all", { exitCode: 2, stdout: lines(PASSED), stderr: "" }, "it ended with exit code 2"],
])("a Barman that %s has failed its check", (_title, result, hint) => {
  const failed = parseCheck(result, "production").filter(({ ok }) => !ok);
  expect(failed).toEqual([{ what: "barman check", ok: false, hint: expect.stringContaining(hint) as string }]);
});
