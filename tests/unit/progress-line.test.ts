import { expect, test } from "vitest";
import { progressLine } from "../../provider/handlers/base-backup.ts";

test.each([
  ["streaming database files: 50 %, 1 GB of 2 GB, 10 s left", 1e9, 2e9, 10],
  ["streaming database files: 99 %, 1.99 GB of 2 GB, 0 s left", 1.99e9, 2e9, 10],
  // PostgreSQL's total is an estimate that more may be sent than.
  ["streaming database files: 100 %, 2.1 GB of 2 GB, 0 s left", 2.1e9, 2e9, 10],
  ["streaming database files", 1e9, null, 10],
  ["streaming database files", 0, 2e9, 10],
  ["streaming database files", 0, 0, 10],
])("%s", (expected, streamedBytes, totalBytes, elapsedSeconds) => {
  expect(progressLine({ phase: "streaming database files", streamedBytes, totalBytes }, elapsedSeconds)).toBe(expected);
});
