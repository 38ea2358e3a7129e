import { expect, test } from "vitest";
import { parseCatalogue } from "../../operations/barman-catalogue.ts";
import { chooseFrom } from "../../operations/bootstrap.ts";
import { isOnTheWay } from "../../operations/astray.ts";
import { parseHistory } from "../../operations/timeline-history.ts";

const MONDAY = {
  id: "20261116T020000",
  segmentsSince: "3",
  status: "DONE",
  version: "170011",
  end_time: "2026-11-16 02:01:00.123456+00:00",
  begin_xlog: "0/9000028",
  end_xlog: "0/A000000",
  end_wal: "000000030000000000000009",
  size: "50000000",
  xlog_segment_size: "16777216",
  tablespaces: "None",
};
const TUESDAY = { ...MONDAY, id: "20261117T020000", end_time: "2026-11-17 02:01:00+00:00", end_xlog: "0/B000000" };
const RUNNING = { id: "20261118T020000", segmentsSince: "9", status: "EMPTY", end_time: "None", end_xlog: "None" };

const GIGABYTE = 1e9;
const written = (backups: readonly object[], freeBytes: number = 10 * GIGABYTE): string =>
  `free bytes:   ${freeBytes}\nbackups: ${JSON.stringify(backups)}\n`;

const NOON = Date.parse("2026-11-18T12:00:00Z");
const SOURCE = { stack: "production", at: null, postgresMajor: 17 };
const choose = (output: string, source: Partial<typeof SOURCE | { at: string }> = {}) =>
  chooseFrom(parseCatalogue(output), { ...SOURCE, ...source }, null, NOON, []);

test("a catalogue is what Barman has written down, each backup once and the newest first", () => {
  const { backups, freeBytes } = parseCatalogue(written([MONDAY, RUNNING, TUESDAY, MONDAY]));
  expect(freeBytes).toBe(10 * GIGABYTE);
  expect(backups.map(({ id }) => id)).toEqual([RUNNING.id, TUESDAY.id, MONDAY.id]);
  expect(backups[0]).toMatchObject({ endedAt: null, endLsn: null, timeline: null, sizeBytes: 0 });
  expect(backups[2]).toMatchObject({
    endedAt: Date.parse("2026-11-16T02:01:00.123Z"),
    sizeBytes: 50_000_000,
    beginLsn: "0/9000028",
    walBytes: 3 * 16_777_216,
    timeline: 3,
    postgresMajor: 17,
  });
});

test("something else than a catalogue is no empty one", () => {
  expect(() => parseCatalogue("df: no such file")).toThrow("Seen instead of a list:\ndf: no such file");
});

test("all there is begins with the newest backup that is done, a moment with the one before it", () => {
  const all = written([MONDAY, TUESDAY, RUNNING]);
  expect(choose(all)).toMatchObject({ backup: { id: TUESDAY.id }, stop: { kind: "end" } });
  const at = "2026-11-16 12:00:00+00";
  expect(choose(all, { at })).toMatchObject({ backup: { id: MONDAY.id }, stop: { kind: "time", value: at } });
});

test.each([
  ["no backup at all", written([RUNNING]), {}, "no backup that can be restored"],
  [
    "a moment before the first",
    written([MONDAY]),
    { at: "2026-11-15 12:00:00+00" },
    "before the end of the first backup",
  ],
  ["a moment to come", written([MONDAY]), { at: "2026-11-19 12:00:00+00" }, "is in the future"],
  ["another major", written([MONDAY]), { postgresMajor: 16 }, "Name an image of major 17"],
  ["tablespaces", written([{ ...MONDAY, tablespaces: "[('a', 16384, '/a')]" }]), {}, "has tablespaces"],
  ["no room", written([MONDAY], 500_000_000), {}, "takes 637 MB, and the engine has 500 MB free"],
])("refused: %s", (_title, output, source, words) => {
  expect(() => choose(output, source)).toThrow(words);
});

test.each([
  ["on the timeline that the primary is on", 3, "9/0", true],
  ["before the primary left its timeline", 2, "0/B000000", true],
  ["after the primary had left its timeline", 2, "0/B000001", false],
  ["on a timeline that the primary was never on", 4, "0/1", false],
])("a backup %s", (_title, timeline, endLsn, expected) => {
  const history = parseHistory(3, "1\t0/A000000\tno recovery target specified\n\n2\t0/B000000\tbefore 2026\n");
  expect(isOnTheWay({ timeline, endLsn }, history)).toBe(expected);
});
