import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { statusReport } from "../../commands/status-report.ts";
import type { NodeStatus } from "../../operations/status-schema.ts";
import { duration } from "../../operations/wording.ts";
import { PRIMARY, STATUS } from "./status-support.ts";

test("a table of the nodes, the facts, and a sentence for each problem", () => {
  expect(stripVTControlCharacters(statusReport(STATUS))).toBe(
    [
      "node    role     state      timeline  address         streams from  sync   replay lag    slot    kept WAL  TLS  version  up",
      "node-1  primary  running    2         127.0.0.1:5455                                                            17.6     60 min",
      "node-2  standby  streaming  2         127.0.0.1:5455  node-1        async  1.54 kB, 3 s  node_2  0 B       yes  17.6     60 min",
      "",
      "Timeline 2 since 2026-11-21 11:30 UTC at 0/3000148, first seen on node-1: promotion.",
      "Certificates are good until 2027-10-01.",
      "Newest backup: 20261121T020001, 9 h old; 2 can be restored.",
      "Last drill: 9 h ago, 20261121T020001, back after 4.2 s, 0.3 s of transactions lost.",
      "",
      "dev is degraded.",
      "  node-2: replay is paused; it is old: `npm start`.",
    ].join("\n"),
  );
});

test("of a node that does not answer there is little to tell", () => {
  const nothing = { role: null, timeline: null, version: null, startedAt: null, certificateEndsAt: null };
  const gone: NodeStatus = { ...PRIMARY, ...nothing, state: "exited", endpoint: null };
  const report = statusReport({ ...STATUS, nodes: [gone], timelines: [], backup: null, problems: [] });
  expect(stripVTControlCharacters(report).split("\n").slice(1)).toEqual([
    expect.stringMatching(/^node-1 +exited$/),
    "",
    "dev is degraded.",
  ]);
});

test("of many timelines the newest are shown", () => {
  const [first] = STATUS.timelines;
  if (first === undefined) throw new Error("a status without timelines");
  const timelines = [2, 3, 4, 5, 6, 7, 8].map((timeline) => ({ ...first, timeline }));
  const lines = statusReport({ ...STATUS, timelines }).split("\n");
  expect(lines).toContain("Timelines before: 2 (--json has them).");
  expect(lines.filter((line) => line.startsWith("Timeline ")).map((line) => line.slice(0, 10))).toEqual(
    [4, 5, 6, 7, 8].map((timeline) => `Timeline ${timeline}`),
  );
});

test.each([
  [0.4, "0 s"],
  [119, "119 s"],
  [120, "2 min"],
  [7199, "119 min"],
  [7200, "2 h"],
  [172_800, "2 d"],
])("%d seconds in words", (seconds, words) => {
  expect(duration(seconds)).toBe(words);
});
