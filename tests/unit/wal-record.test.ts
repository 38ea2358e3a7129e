import { describe, expect, test } from "vitest";
import { walEndOf } from "../../operations/data-job.ts";
import { formatLsn, parseLsn } from "../../operations/lsn.ts";
import { recordEnd } from "../../operations/wal-record.ts";

const LAYOUT = { segmentBytes: 0x1000000n, blockBytes: 8192n };

const record = (lsn: string, bytes: number, rest = "Heap"): string =>
  `rmgr: ${rest.padEnd(11)} len (rec/tot): ${String(bytes).padStart(6)}/${String(bytes).padStart(6)}, tx:        739, lsn: ${lsn}, prev 0/03021378, desc: INSERT off: 10, flags: 0x00, blkref #0: rel 1663/5/16384 blk 0`;

const SWITCH = (lsn: string): string =>
  `rmgr: XLOG        len (rec/tot):     24/    24, tx:          0, lsn: ${lsn}, prev 0/030213F8, desc: SWITCH `;

describe("a record ends", () => {
  test.each([
    ["padded to 8 bytes", record("0/030213B8", 59), "0/30213F8"],
    ["at the end of its page", record("0/03021FC0", 64), "0/3022000"],
    ["at the end of its page, by its padding", record("0/03021FC0", 57), "0/3022000"],
    ["behind the header of the next page", record("0/03021FC0", 65), "0/3022020"],
    ["behind the headers of all pages that it fills", record("0/03021FC0", 64 + 2 * (8192 - 24) + 8), "0/3026020"],
    ["behind the longer header of a segment", record("0/03FFFFC0", 65), "0/4000030"],
    ["with its segment, where it leaves it", SWITCH("0/03021420"), "0/4000000"],
    ["with its segment, where it fills it", SWITCH("0/03FFFFE8"), "0/4000000"],
  ])("%s", (_where, line, end) => {
    expect(formatLsn(recordEnd(line, LAYOUT) ?? 0n)).toBe(end);
  });

  test("nowhere, where the line is no record", () => {
    expect(recordEnd("pg_waldump: error: could not find a valid record after 0/3021420", LAYOUT)).toBeUndefined();
  });
});

describe("what the job says of the end of a log", () => {
  const sizes = "bytes per segment: 16777216\nbytes per block: 8192\n";

  test("of the first timeline, which has no history", () => {
    const end = walEndOf(`timeline: 1\n${sizes}last record: ${record("0/030213B8", 59)}`);
    expect(end).toEqual({ timeline: 1, lsn: parseLsn("0/30213F8"), history: [{ timeline: 1, endLsn: null }] });
  });

  test("of a later one, with its history", () => {
    const history =
      "history: 1\t0/3000148\tno recovery target specified\nhistory: \nhistory: 2\t0/3020000\tbefore 2026\n";
    expect(walEndOf(`timeline: 3\n${history}${sizes}last record: ${record("0/030213B8", 59)}`)?.history).toEqual([
      { timeline: 1, endLsn: parseLsn("0/3000148") },
      { timeline: 2, endLsn: parseLsn("0/3020000") },
      { timeline: 3, endLsn: null },
    ]);
  });

  test("of a later one without its history: nobody knows the way", () => {
    expect(walEndOf(`timeline: 3\n${sizes}last record: ${record("0/030213B8", 59)}`)?.history).toBeNull();
  });

  test("where no record was read: nothing", () => {
    expect(walEndOf(`timeline: 1\n${sizes}last record: `)).toBeUndefined();
    expect(walEndOf("timeline: 1\nend of WAL: 0/3000148")).toBeUndefined();
  });
});
