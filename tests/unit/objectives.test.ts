import { expect, test } from "vitest";
import { missedObjectives, missedReplayLag } from "../../operations/objectives.ts";
import type { Measured, Objectives } from "../../operations/objectives.ts";

const NONE: Objectives = { rpoSeconds: null, rtoSeconds: null, maxReplayLagBytes: null, maxWriteGapMs: null };
const STRICT: Objectives = { rpoSeconds: 1, rtoSeconds: 10, maxReplayLagBytes: 1000, maxWriteGapMs: 500 };
const at = "2026-11-21T08:00:00.000Z";
const drilled = (rtoSeconds: number, rpoSeconds: number | null): Measured => ({
  drill: { backup: "20261121T020000", restoredTo: "", rtoSeconds, rpoSeconds, checks: [], at },
  switchover: { from: "node-1", to: "node-2", writeGapMs: 300, lostBytes: 0, at },
  restart: { nodes: ["node-2"], writeGapMs: null, at },
});

test("what was not measured is not missed, and neither is what is no objective", () => {
  expect(missedObjectives(STRICT, { drill: null, switchover: null, restart: null })).toEqual([]);
  expect(missedObjectives(STRICT, drilled(10, null))).toEqual([]);
  expect(missedObjectives(NONE, drilled(999, 999))).toEqual([]);
});

test("each one that is missed is named, with what was measured and when", () => {
  const slow = { ...drilled(10.1, 2), restart: { nodes: ["node-1"], writeGapMs: 501, at } };
  expect(missedObjectives(STRICT, slow)).toEqual([
    "the objective rtoSeconds: 10 is missed: the drill of the backup 20261121T020000 took 10.1 s",
    "the objective rpoSeconds: 1 is missed: the drill of the backup 20261121T020000 lost the last 2 s",
    `the objective maxWriteGapMs: 500 is missed: in the restart at ${at} writes waited 501 ms`,
  ]);
});

test("the replay lag is looked at standby by standby", () => {
  const lags = [
    { node: "node-2", bytes: 1000 },
    { node: "node-3", bytes: 1001 },
  ];
  expect(missedReplayLag(STRICT, lags)).toEqual([
    "the objective maxReplayLagBytes: 1000 is missed: node-3 is 1001 bytes behind",
  ]);
  expect(missedReplayLag(NONE, lags)).toEqual([]);
});
