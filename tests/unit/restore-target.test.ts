import { expect, test } from "vitest";
import type { Backup } from "../../operations/barman.ts";
import {
  barmanOptions,
  chooseBackup,
  lsnNumber,
  momentInUtc,
  recoveryTarget,
} from "../../operations/restore-target.ts";
import type { RecoveryStop, RestoreTarget } from "../../operations/restore-target.ts";

const backup = (id: string, endedAt: string, endLsn: string, status = "DONE"): Backup => ({
  id,
  status,
  endedAt: Date.parse(endedAt),
  endLsn,
  sizeBytes: 1,
  walBytes: 0,
  retention: "VALID",
});
const MONDAY = backup("20261116T020000", "2026-11-16T02:01:00Z", "0/A000000");
const TUESDAY = backup("20261117T020000", "2026-11-17T02:01:00Z", "1/B000000");
const FAILED = backup("20261118T020000", "2026-11-18T02:01:00Z", "2/C000000", "FAILED");
const BACKUPS = [FAILED, TUESDAY, MONDAY];
const NOW = Date.parse("2026-11-18T12:00:00Z");

const at = (moment: string, lsn: string | null = null): RestoreTarget => ({ kind: "time", at: moment, lsn });
const pause = ["--target-action", "pause"];

const CHOSEN: readonly (readonly [title: string, target: RestoreTarget, id: string, options: readonly string[]])[] = [
  ["all there is", { kind: "latest" }, TUESDAY.id, []],
  ["one backup", { kind: "backup", id: MONDAY.id }, MONDAY.id, ["--target-immediate", ...pause]],
  [
    "a moment, by the last commit before it",
    at("2026-11-17 12:00:00+00", "1/C000000"),
    TUESDAY.id,
    ["--target-lsn", "1/C000000", ...pause],
  ],
  [
    "a moment in another time zone",
    at("2026-11-17 03:00:00+02", "0/B000000"),
    MONDAY.id,
    ["--target-lsn", "0/B000000", ...pause],
  ],
  [
    "a moment without a commit since the backup",
    at("2026-11-17 12:00:00+00", "1/A000000"),
    TUESDAY.id,
    ["--target-immediate", ...pause],
  ],
  [
    "a moment whose last commit is not known",
    at("2026-11-17 12:00:00+00"),
    TUESDAY.id,
    ["--target-time", "2026-11-17 12:00:00+00", ...pause],
  ],
  ["a position", { kind: "lsn", lsn: "1/A000000" }, MONDAY.id, ["--target-lsn", "1/A000000", ...pause]],
  ["a restore point", { kind: "name", name: "x y", lsn: "9/0" }, TUESDAY.id, ["--target-name", "x y", ...pause]],
];

test.each(CHOSEN)("%s is reached from the backup before it", (_title, target, id, options) => {
  const chosen = chooseBackup(target, BACKUPS, NOW);
  expect([chosen.backup.id, barmanOptions(chosen.stop)]).toEqual([id, options]);
});

const REFUSED: readonly (readonly [target: RestoreTarget, words: string])[] = [
  [at("2026-11-18 12:00:01+00"), "is in the future: it is 2026-11-18T12:00:00.000Z"],
  [at("2026-11-16 02:01:00+00"), "moments from 2026-11-16T02:01:01.000Z on can be restored"],
  [at("yesterday"), 'but got "yesterday"'],
  [at("2026-11-17 12:00:00"), "a moment with its time zone"],
  [{ kind: "lsn", lsn: "0/1" }, "positions from 0/A000000 on can be restored"],
  [{ kind: "lsn", lsn: "12" }, 'such as 0/3000148, but got "12"'],
  [{ kind: "backup", id: FAILED.id }, "is FAILED: only one that is DONE can be restored"],
  [{ kind: "backup", id: "x" }, "There is no backup x. There are: 20261118T020000,"],
];

test.each(REFUSED)("%j is refused", (target, words) => {
  expect(() => chooseBackup(target, BACKUPS, NOW)).toThrow(words);
});

test.each<[RecoveryStop, string[]]>([
  [{ kind: "end" }, []],
  [{ kind: "immediate" }, ["recovery_target", "immediate"]],
  [{ kind: "lsn", value: "1/C000000" }, ["recovery_target_lsn", "1/C000000"]],
])("a server is told of %j by %j", (stop, parameter) => {
  expect(recoveryTarget(stop)).toEqual(parameter);
});

test("without a backup that can be restored there is nothing to choose", () => {
  expect(() => chooseBackup({ kind: "latest" }, [FAILED], NOW)).toThrow("npm run backup -- now");
});

test.each([
  ["2026-11-17 12:00:00.123456+05:30", "2026-11-17 06:30:00.123456"],
  ["2026-11-17T12:00Z", "2026-11-17 12:00:00.000000"],
  ["2026-11-17 12:00:00.5 -0130", "2026-11-17 13:30:00.500000"],
])("%s is %s in UTC, to the microsecond", (text, utc) => {
  expect(momentInUtc(text)).toBe(utc);
});

test("positions are compared as numbers", () => {
  expect(lsnNumber("A/0") > lsnNumber("9/FFFFFFFF")).toBe(true);
});
