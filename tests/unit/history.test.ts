import { expect, test } from "vitest";
import { NO_HISTORY, lastLookAt, withStatus, withoutStatus } from "../../dashboard/history.ts";
import type { StackStatus } from "../../operations/status-schema.ts";
import { PRIMARY, STANDBY, STATUS } from "./status-support.ts";

const LATER: StackStatus = { ...STATUS, at: "2026-11-21T12:00:02.000Z" };

const textsOf = (history: typeof NO_HISTORY): string[] => history.events.map(({ at, text }) => `${at} ${text}`);

test("what a stack remembers is there at the first look, the newest first", () => {
  expect(textsOf(withStatus(NO_HISTORY, STATUS))).toEqual([
    "2026-11-21T11:30:12.000Z timeline 2: node-1 was promoted",
    "2026-11-21T11:00:00.000Z node-1 was started",
    "2026-11-21T11:00:00.000Z node-2 was started",
    "2026-11-21T02:10:00.000Z drill: 20261121T020001 was restored in 4.2 s",
    "2026-11-21T02:00:09.000Z backup 20261121T020001 ended",
  ]);
});

test("a second look at the same tells nothing again", () => {
  const once = withStatus(NO_HISTORY, STATUS);
  expect(withStatus(once, LATER).events).toEqual(once.events);
});

test("who was promoted is told by the oldest copy that is known, once", () => {
  const [start] = STATUS.timelines;
  if (start === undefined) throw new Error("there is no timeline");
  const early = { ...start, firstSeenOn: "node-2", firstSeenAt: "2026-11-21T11:30:15.000Z" };
  const history = withStatus(withStatus(NO_HISTORY, { ...STATUS, timelines: [early] }), LATER);
  expect(textsOf(history).filter((text) => text.includes("timeline 2"))).toEqual([
    "2026-11-21T11:30:12.000Z timeline 2: node-1 was promoted",
  ]);
});

test("another primary, problems that come and go", () => {
  const nodes = [
    { ...PRIMARY, role: "standby", timeline: 3 },
    { ...STANDBY, role: "primary", timeline: 3 },
  ] as const;
  const before = withStatus(NO_HISTORY, STATUS);
  const after = withStatus(before, { ...LATER, nodes: [...nodes], problems: [] });
  expect(textsOf(after).slice(0, 2)).toEqual([
    "2026-11-21T12:00:02.000Z node-2 takes writes, and no longer node-1",
    "2026-11-21T12:00:02.000Z over: node-2: replay is paused",
  ]);
  const again = withStatus(after, { ...STATUS, nodes: [...nodes], at: "2026-11-21T12:00:04.000Z" });
  expect(textsOf(again)[0]).toBe("2026-11-21T12:00:04.000Z node-2: replay is paused");
});

test("a sample has the lag of each standby, and what was written since the look before", () => {
  const written = { ...LATER, nodes: [{ ...PRIMARY, walLsn: "0/3002910" }, STANDBY] };
  const { samples } = withStatus(withStatus(NO_HISTORY, STATUS), written);
  expect(samples).toEqual([
    { time: 1795262400, replayLagBytes: new Map([["node-2", 1536]]), writtenBytesPerSecond: null },
    { time: 1795262402, replayLagBytes: new Map([["node-2", 1536]]), writtenBytesPerSecond: 0x2710 / 2 },
  ]);
});

test("where nothing could be asked there is a gap", () => {
  const history = withoutStatus(withStatus(NO_HISTORY, STATUS), new Date(LATER.at));
  expect(history.samples[1]).toEqual({ time: 1795262402, replayLagBytes: new Map(), writtenBytesPerSecond: null });
  expect(history.last).toBe(STATUS);
});

test("it keeps an hour, and forgets what was before", () => {
  let history = NO_HISTORY;
  for (let second = 0; second < 2000; second++) history = withoutStatus(history, new Date(second * 1000));
  expect(history.samples).toHaveLength(1800);
  expect(history.samples.at(-1)?.time).toBe(1999);
});

test("the last look is the last one, also where nobody answered", () => {
  const at = "2026-11-21T12:00:02.345Z";
  const seen = withStatus(NO_HISTORY, { ...STATUS, at });
  expect(lastLookAt(seen).toISOString()).toBe(at);
  expect(lastLookAt(withoutStatus(seen, new Date("2026-11-21T12:00:14.000Z"))).toISOString()).toBe(
    "2026-11-21T12:00:14.000Z",
  );
});
