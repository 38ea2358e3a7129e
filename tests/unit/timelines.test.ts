import { describe, expect, test } from "vitest";
import { divergences, timelineStarts } from "../../operations/timelines.ts";
import type { HistoryFile, ServerHistory } from "../../operations/timelines.ts";
import type { ServerObservation } from "../../operations/observe.ts";
import { HEALTHY } from "./topology-support.ts";

const history = (timeline: number, text: string, writtenAt: string): HistoryFile => ({
  timeline,
  text,
  writtenAt: new Date(`2026-11-21T${writtenAt}Z`),
});
const PROMOTED = "no recovery target specified\n";
const SECOND = `1\t0/3000148\t${PROMOTED}`;
const OTHER_SECOND = `1\t0/3000100\t${PROMOTED}`;

const server = (
  name: string,
  role: ServerObservation["role"],
  timeline: number,
  walLsn: string,
  ...histories: HistoryFile[]
): ServerHistory => ({
  name,
  server: { ...HEALTHY["node-1"], role, timeline, walLsn, replayLsn: walLsn },
  histories,
});

describe("how timelines came to be", () => {
  test("the oldest copy of a history says when, and who", () => {
    const starts = timelineStarts([
      server("node-1", "standby", 2, "0/4000000", history(2, SECOND, "12:00:03")),
      server("node-2", "primary", 2, "0/4000000", history(2, SECOND, "12:00:01")),
    ]);
    expect(starts).toEqual([
      {
        timeline: 2,
        parent: 1,
        forkLsn: "0/3000148",
        reason: "promotion",
        firstSeenOn: "node-2",
        firstSeenAt: "2026-11-21T12:00:01.000Z",
      },
    ]);
  });

  test("two of one number that parted elsewhere are two", () => {
    const starts = timelineStarts([
      server("node-1", "primary", 2, "0/4000000", history(2, OTHER_SECOND, "12:00:03")),
      server("node-2", "primary", 2, "0/4000000", history(2, SECOND, "12:00:01")),
    ]);
    expect(starts.map(({ firstSeenOn, forkLsn }) => `${firstSeenOn} ${forkLsn}`)).toEqual([
      "node-2 0/3000148",
      "node-1 0/3000100",
    ]);
  });

  test("the last line counts, and a recovery to a target is named in the server's words", () => {
    const third = `${SECOND}\n2\t0/5000000\tbefore 2026-11-21 11:00:00+00\n`;
    const [start] = timelineStarts([server("node-1", "primary", 3, "0/6000000", history(3, third, "12:00:00"))]);
    expect(start).toMatchObject({ parent: 2, forkLsn: "0/5000000", reason: "before 2026-11-21 11:00:00+00" });
  });

  test("what is no history is passed over", () => {
    expect(timelineStarts([server("node-1", "primary", 2, "0/4000000", history(2, "", "12:00:00"))])).toEqual([]);
  });
});

describe("who has parted from the primary", () => {
  const primary = server("node-2", "primary", 2, "0/3000200", history(2, SECOND, "12:00:01"));

  test("nobody, where standbys follow or are behind", () => {
    const following = server("node-1", "standby", 2, "0/3000200", history(2, SECOND, "12:00:02"));
    expect(divergences(primary, [following, server("node-3", "standby", 1, "0/3000100")])).toEqual([]);
  });

  test("a second primary, with what each wrote since", () => {
    expect(divergences(primary, [server("node-1", "primary", 1, "0/3000248")])).toEqual([
      {
        forkLsn: "0/3000148",
        nodes: [
          { name: "node-2", timeline: 2, ownBytes: 0xb8 },
          { name: "node-1", timeline: 1, ownBytes: 0x100 },
        ],
      },
    ]);
  });

  test("a standby that received what the new primary had not", () => {
    const [parted] = divergences(primary, [server("node-3", "standby", 1, "0/3000150")]);
    expect(parted?.nodes[1]).toEqual({ name: "node-3", timeline: 1, ownBytes: 8 });
  });

  test("two that were promoted to the same number", () => {
    const other = server("node-3", "primary", 2, "0/3000180", history(2, OTHER_SECOND, "12:00:02"));
    expect(divergences(primary, [other])).toMatchObject([
      { forkLsn: "0/3000100", nodes: [{ ownBytes: 0x100 }, { ownBytes: 0x80 }] },
    ]);
  });

  test("two that write on one timeline: where they parted cannot be told", () => {
    const one = server("node-1", "primary", 1, "0/3000248");
    const other = server("node-3", "primary", 1, "0/3000300");
    expect(divergences(one, [other])).toMatchObject([
      { forkLsn: null, nodes: [{ ownBytes: null }, { ownBytes: null }] },
    ]);
  });
});
