import { expect, test } from "vitest";
import { drillDue, verifyWords } from "../../operations/restore-drill.ts";
import type { DrillReport } from "../../operations/restore-drill.ts";

const LAST: DrillReport = {
  backup: "20261121T020000",
  restoredTo: "2026-11-21 02:01:00.123456+00",
  rtoSeconds: 3,
  rpoSeconds: 0.1,
  checks: [],
  at: "2026-11-21T08:00:00.000Z",
};
const NOON = Date.parse("2026-11-21T12:00:00.000Z");
const HOUR_SECONDS = 3600;

test.each([
  ["the same backup", LAST.backup, null, undefined],
  ["another backup", "20261122T020000", null, "20261122T020000 is newer"],
  ["the same backup, long ago", LAST.backup, 4 * HOUR_SECONDS, `the last drill was at ${LAST.at}`],
  ["the same backup, not so long ago", LAST.backup, 5 * HOUR_SECONDS, undefined],
  ["no backup at all", undefined, 1, undefined],
])("a drill is due: %s", (_title, newest, everySeconds, reason) => {
  const due = drillDue(LAST, newest, everySeconds, NOON);
  if (reason === undefined) expect(due).toBeUndefined();
  else expect(due).toContain(reason);
});

test("pg_verifybackup names the spoiled file, and no more than three of many", () => {
  const line = (file: string): string => `pg_verifybackup: error: checksum mismatch for file "base/5/${file}"`;
  expect(verifyWords(`ERROR: failed\n${line("1259")}\nhint: look there\n`)).toBe(
    'checksum mismatch for file "base/5/1259"',
  );
  expect(verifyWords(["1", "2", "3", "4"].map(line).join("\n")).split("; ")).toHaveLength(3);
  expect(verifyWords("ERROR: no backup_manifest\n")).toBe("no backup_manifest");
});
