import { expect, test } from "vitest";
import { parseTimelines } from "../../operations/archived-timelines.ts";
import type { Backup } from "../../operations/barman.ts";
import {
  EVERYTHING,
  barmanOptions,
  chooseBackup,
  lastCommit,
  lsnNumber,
  momentInUtc,
  ofSystem,
  placeIn,
  recoveryTarget,
  requireFreeBytes,
  walBytesUpTo,
} from "../../operations/restore-target.ts";
import type { RecoveryStop, RestoreTarget } from "../../operations/restore-target.ts";

const backup = (id: string, endedAt: string, endLsn: string, status = "DONE", timeline = 1): Backup => ({
  id,
  status,
  endedAt: Date.parse(endedAt),
  endLsn,
  timeline,
  systemIdentifier: null,
  sizeBytes: 1,
  walBytes: 0,
  retention: "VALID",
});
const MONDAY = backup("20261116T020000", "2026-11-16T02:01:00Z", "0/A000000");
const TUESDAY = backup("20261117T020000", "2026-11-17T02:01:00Z", "1/B000000");
const FAILED = backup("20261118T020000", "2026-11-18T02:01:00Z", "2/C000000", "FAILED");
const BACKUPS = [FAILED, TUESDAY, MONDAY];
const NOW = Date.parse("2026-11-18T12:00:00Z");

const at = (moment: string, lsn: string | null = null, timeline = 1): RestoreTarget => ({
  kind: "time",
  at: moment,
  last: lsn === null ? null : { lsn, timeline },
});
const point = (lsn: string, timeline = 1): RestoreTarget => ({ kind: "name", name: "x y", found: { lsn, timeline } });
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
  ["a restore point, of several of that name too", point("9/0"), TUESDAY.id, ["--target-lsn", "9/0", ...pause]],
];

test.each(CHOSEN)("%s is reached from the backup before it", (_title, target, id, options) => {
  const chosen = chooseBackup(target, BACKUPS, NOW, []);
  expect([chosen.backup.id, barmanOptions(chosen)]).toEqual([id, ["--target-tli", "latest", ...options]]);
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
  expect(() => chooseBackup(target, BACKUPS, NOW, [])).toThrow(words);
});

test.each<[RecoveryStop, string[]]>([
  [{ kind: "end" }, []],
  [{ kind: "immediate" }, ["recovery_target", "immediate"]],
  [{ kind: "lsn", value: "1/C000000" }, ["recovery_target_lsn", "1/C000000"]],
])("a server is told of %j by %j", (stop, parameter) => {
  expect(recoveryTarget(stop)).toEqual(parameter);
});

test("backups of another cluster are not of the one that runs", () => {
  const [ours, theirs] = [
    { ...TUESDAY, systemIdentifier: "7" },
    { ...MONDAY, systemIdentifier: "8" },
  ];
  expect(ofSystem([ours, theirs, FAILED], "7")).toEqual([ours, FAILED]);
  expect(ofSystem([theirs], undefined)).toEqual([theirs]);
  expect(ofSystem([], "7")).toEqual([]);
  expect(() => ofSystem([theirs], "7")).toThrow(`${MONDAY.id} is of the system 8, and the primary is 7.`);
});

test("without a backup that can be restored there is nothing to choose", () => {
  expect(() => chooseBackup({ kind: "latest" }, [FAILED], NOW, [])).toThrow("npm run backup -- now");
});

test.each([
  ["2026-11-17 12:00:00.123456+05:30", "2026-11-17 06:30:00.123456"],
  ["2026-11-17T12:00Z", "2026-11-17 12:00:00.000000"],
  ["2026-11-17 12:00:00.5 -0130", "2026-11-17 13:30:00.500000"],
])("%s is %s in UTC, to the microsecond", (text, utc) => {
  expect(momentInUtc(text)).toBe(utc);
});

test.each<[string, RecoveryStop, string | null, number]>([
  ["all there is", { kind: "end" }, "1/A000000", 0x3000000],
  [
    "a moment, of which Barman does not know where it is",
    { kind: "time", value: "2026-11-17 12:00:00+00" },
    "1/A000000",
    0x3000000,
  ],
  ["a position", { kind: "lsn", value: "1/B800000" }, "1/A000000", 0x1800000],
  ["a position that Barman has no WAL of", { kind: "lsn", value: "2/0" }, "1/A000000", 0x3000000],
  ["the end of the backup", { kind: "immediate" }, "1/A000000", 0x1000000],
  ["a backup that has not said where it began", { kind: "immediate" }, null, 0x3000000],
])("how much WAL is unpacked for %s", (_title, stop, beginLsn, bytes) => {
  const catalogued = { ...TUESDAY, beginLsn, walBytes: 0x3000000, postgresMajor: 17, hasTablespaces: false };
  expect(walBytesUpTo(stop, catalogued)).toBe(bytes);
});

test("there has to be room for a backup, its WAL and the server's work", () => {
  const needing = { ...TUESDAY, sizeBytes: 1e9, walBytes: 2e9 };
  requireFreeBytes(needing, 3.6e9);
  expect(() => requireFreeBytes(needing, 3.5e9)).toThrow(`restoring ${TUESDAY.id} takes 3.54 GB`);
});

test("positions are compared as numbers", () => {
  expect(lsnNumber("A/0") > lsnNumber("9/FFFFFFFF")).toBe(true);
});

/** The primary failed over at noon on Tuesday, and on Wednesday all went back to Monday evening. */
const TIMELINES = parseTimelines(`timeline 00000002 began 2026-11-17 12:00:00.000000 after 1:1/C000000
timeline 00000003 began 2026-11-18 08:00:00.000000 after 1:1/1000000
`);
const [, SECOND] = TIMELINES;
const UP_TO_SECOND = TIMELINES.slice(0, 2);
/** Of the old primary, which did not know that it was one. */
const STRAY = backup("20261117T115900", "2026-11-17T12:01:00Z", "1/C800000");

test("the timeline of a moment is the one whose primary was the topology's then", () => {
  expect(TIMELINES.map(({ timeline }) => timeline)).toEqual([1, 2, 3]);
  expect(lastCommit("2026-11-17 12:59:59.9+01", TIMELINES)).toEqual([
    "last-commit",
    "2026-11-17 11:59:59.900000",
    "00000001:",
  ]);
  expect(lastCommit("2026-11-17 13:00:00+01", TIMELINES).slice(2)).toEqual(["00000002:", "00000001:1/C000000"]);
  expect(lastCommit("2026-11-18 08:00:00+00", TIMELINES).slice(2)).toEqual(["00000003:", "00000001:1/1000000"]);
  expect(lastCommit("2026-11-18 08:00:00+00", []).slice(2)).toEqual([]);
  expect(placeIn("1/C0000F8 on 0000000A\n")).toEqual({ lsn: "1/C0000F8", timeline: 10 });
  expect(placeIn("")).toBeNull();
});

test.each<[string, RestoreTarget, string, number | "latest"]>([
  ["what both had", at("2026-11-17 11:00:00+00", "1/BFFFFFF"), TUESDAY.id, "latest"],
  ["what the old primary alone had", at("2026-11-17 11:59:59+00", "1/C000000"), TUESDAY.id, 1],
  ["what the new one wrote", at("2026-11-17 12:00:01+00", "1/C000100", 2), TUESDAY.id, "latest"],
  ["a moment without a commit", at("2026-11-17 11:59:59+00"), TUESDAY.id, "latest"],
  ["a restore point that the old primary alone had", point("1/D000000", 1), STRAY.id, 1],
  ["a restore point of the new one", point("1/D000000", 2), TUESDAY.id, "latest"],
  ["a position is one of the present", { kind: "lsn", lsn: "1/D000000" }, TUESDAY.id, "latest"],
  ["all there is", { kind: "latest" }, TUESDAY.id, "latest"],
  ["a backup of both", { kind: "backup", id: TUESDAY.id }, TUESDAY.id, "latest"],
  ["a backup of the old primary alone", { kind: "backup", id: STRAY.id }, STRAY.id, 1],
])("after a failover, along the timeline that has it: %s", (_title, target, id, timeline) => {
  const chosen = chooseBackup(target, [STRAY, ...BACKUPS], NOW, UP_TO_SECOND);
  expect([chosen.backup.id, chosen.timeline]).toEqual([id, timeline]);
});

test("after all went back behind a backup, the present is not reached from it, and the past that was left is", () => {
  const choose = (target: RestoreTarget) => chooseBackup(target, BACKUPS, NOW, TIMELINES);
  expect(choose({ kind: "latest" })).toMatchObject({ backup: MONDAY, timeline: "latest" });
  const left = choose(at("2026-11-18 07:00:00+00", "1/D000000", 2));
  expect(left).toMatchObject({ backup: TUESDAY, timeline: SECOND?.timeline });
  expect(barmanOptions(left)).toEqual(["--target-tli", "2", "--target-lsn", "1/D000000", ...pause]);
  expect(() => chooseBackup({ kind: "latest" }, [TUESDAY], NOW, TIMELINES)).toThrow("went back behind");
  expect(barmanOptions(EVERYTHING)).toEqual(["--target-tli", "latest"]);
});
