import { describe, expect, test } from "vitest";
import { formatLsn, parseLsn } from "../../operations/lsn.ts";
import { chooseRung } from "../../operations/rejoin.ts";
import { divergence, historyFileName, parseHistory } from "../../operations/timeline-history.ts";

const FIRST = parseHistory(1, "");
const SECOND = parseHistory(2, "1\t0/3000148\tno recovery target specified\n");
const OTHER_SECOND = parseHistory(2, "1\t0/3000100\tno recovery target specified\n");
const THIRD = parseHistory(
  3,
  "1\t0/3000148\tno recovery target specified\n2\t0/4000000\tno recovery target specified\n",
);

test("positions are what PostgreSQL prints", () => {
  expect(parseLsn("16/B374D848")).toBe(0x16b374d848n);
  expect(formatLsn(0x16b374d848n)).toBe("16/B374D848");
  expect(() => parseLsn("nowhere")).toThrow("expected a WAL position");
});

test("history files have the names of timelines", () => {
  expect(historyFileName(27)).toBe("0000001B.history");
});

describe("two servers went different ways", () => {
  test("an old primary that stopped before the fork has nothing of its own", () => {
    expect(divergence(FIRST, parseLsn("0/3000148"), SECOND).discardedBytes).toBe(0);
  });
  test("an old primary that wrote on has what it wrote after the fork", () => {
    expect(divergence(FIRST, parseLsn("0/3000248"), SECOND)).toEqual({
      forkLsn: parseLsn("0/3000148"),
      discardedBytes: 0x100,
    });
  });
  test("two timelines back the first fork counts", () => {
    expect(divergence(FIRST, parseLsn("0/5000000"), THIRD).forkLsn).toBe(parseLsn("0/3000148"));
  });
  test("a server that the primary descends from follows", () => {
    expect(divergence(SECOND, parseLsn("0/3FFFFFF"), THIRD).discardedBytes).toBe(0);
  });
  test("a server that was promoted beyond the primary has its own timeline", () => {
    expect(divergence(SECOND, parseLsn("0/3000200"), FIRST).discardedBytes).toBe(0xb8);
  });
});

describe("the rung", () => {
  const rung = (...args: [typeof FIRST, string, typeof FIRST]) =>
    chooseRung("node-1", args[0], parseLsn(args[1]), args[2]).rung;

  test("nothing of its own: it follows", () => expect(rung(FIRST, "0/3000148", SECOND)).toBe("follow"));
  test("something of its own: it is rewound", () => expect(rung(FIRST, "0/3000149", SECOND)).toBe("rewind"));
  // pg_rewind would find nothing to do.
  test("promoted to the same timeline by itself: it is cloned", () =>
    expect(rung(OTHER_SECOND, "0/3000200", SECOND)).toBe("clone"));
});
