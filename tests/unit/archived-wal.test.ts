import { expect, test } from "vitest";
import { firstMissing } from "../../operations/archived-wal.ts";

const wal = (number: number, timeline = 1, log = 0): string =>
  [timeline, log, number].map((part) => part.toString(16).toUpperCase().padStart(8, "0")).join("");

const OTHER_FILES = ["xlog.db", "00000002.history", "000000010000000000000004.partial", ""];

test.each([
  ["a file after another", [wal(3), wal(4), wal(5)], undefined],
  ["what lies before the backup does not count", [wal(1), wal(3)], undefined],
  ["the newest in front", [wal(5), wal(4), wal(3)], undefined],
  ["the first of the backup", [wal(4), wal(5)], wal(3)],
  ["nothing at all", [], wal(3)],
  ["one in the middle", [wal(3), wal(5)], wal(4)],
  ["a segment on both timelines", [wal(3), wal(4), wal(4, 2), wal(5, 2)], undefined],
  ["a segment on the new timeline only", [wal(3), wal(4, 2), wal(5, 2)], undefined],
  ["one after the change of the timeline", [wal(3), wal(4, 2), wal(6, 2)], wal(5, 2)],
  ["three digits of a hexadecimal number", [...range(3, 0x1f), ...range(0x21, 0x2f)], wal(0x20)],
  ["the next log", [...range(3, 0xff), wal(0, 1, 1)], undefined],
  ["the next log, of 64 MB segments", [...range(3, 0x3f), wal(0, 1, 1)], undefined],
  ["the last of a log", [...range(3, 0xfe), wal(0, 1, 1)], wal(0xff)],
  ["the first of a log", [...range(3, 0xff), wal(1, 1, 1)], wal(0, 1, 1)],
])("the first missing WAL file: %s", (_title, files, missing) => {
  expect(firstMissing([...OTHER_FILES, ...files], wal(3))).toBe(missing);
});

function range(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => wal(first + index));
}
