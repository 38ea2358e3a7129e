import { describe, expect, test } from "vitest";
import { MAXIMUM_LAG_BYTES, decideRoles } from "../../operations/decide-roles.ts";
import type { DownNode, NodeRole } from "../../operations/observe-roles.ts";
import { parseHistory } from "../../operations/timeline-history.ts";
import { END, control, down, primary, standby } from "./role-support.ts";

/** Begins where the first one is at its end in most of what follows. */
const SECOND = parseHistory(2, "1\t0/5000000\tno recovery target specified\n");
const EARLIER_SECOND = parseHistory(2, "1\t0/4000000\tno recovery target specified\n");

const unreachable = (name: string, isHeard: boolean = false): DownNode =>
  down(name, { container: "unreachable", control: undefined, isHeard });

const SHUT_DOWN = control({ state: "shut down" });
const NEWER = control({ timeline: 2 });

describe("node-2 is wanted", () => {
  const DECISIONS: readonly (readonly [title: string, nodes: readonly NodeRole[], kind: string])[] = [
    ["and is the only primary", [primary("node-2"), standby("node-1")], "none"],
    ["and streams from node-1", [primary("node-1"), standby("node-2")], "switchover"],
    ["and node-1 leaves with this update", [standby("node-2"), primary("node-1")], "switchover"],
    ["and is stopped as everybody is", [down("node-1", { standbySignal: true }), down("node-2")], "start"],
    ["and node-1 was stopped cleanly", [down("node-1", { control: SHUT_DOWN }), standby("node-2")], "promote"],
    [
      "and node-1 was stopped cleanly with more than node-2 has",
      [down("node-1", { control: SHUT_DOWN }), standby("node-2", { replayedLsn: END - 200n })],
      "start",
    ],
    [
      "and node-1 was stopped cleanly, but node-2 has parted from it before",
      [down("node-1", { control: SHUT_DOWN }), standby("node-2", { history: EARLIER_SECOND, replayedLsn: END + 8n })],
      "failover",
    ],
    [
      "and node-1 was stopped cleanly, and node-2 has gone on from there",
      [down("node-1", { control: SHUT_DOWN }), standby("node-2", { history: SECOND, receivedLsn: END + 8n })],
      "promote",
    ],
    [
      "and node-1 was stopped cleanly, on a timeline that nobody knows the way of",
      [down("node-1", { control: SHUT_DOWN, history: null }), standby("node-2")],
      "failover",
    ],
    [
      "and standbys only are left, one with a greater position on an older timeline",
      [standby("node-1", { receivedLsn: END + 16n }), standby("node-2", { history: SECOND, receivedLsn: END + 8n })],
      "promote",
    ],
    [
      "and node-1 was stopped cleanly, but of node-3, which may have been the primary since, nobody knows",
      [down("node-1", { control: SHUT_DOWN }), unreachable("node-3"), standby("node-2")],
      "failover",
    ],
    ["and node-1 was killed", [down("node-1"), standby("node-2")], "failover"],
    [
      "and is down, and was killed before the first checkpoint after its own promotion",
      [standby("node-1", { history: SECOND }), down("node-2", { newestTimeline: 2 })],
      "start",
    ],
    [
      "and is down, and older than a node whose rows are given up",
      [down("node-1", { control: NEWER }), down("node-2")],
      "start",
    ],
    ["and node-1 hangs", [down("node-1", { container: "running" }), standby("node-2")], "failover"],
    [
      "and the container of node-1 is gone",
      [down("node-1", { container: "missing", control: undefined }), standby("node-2")],
      "failover",
    ],
    [
      "and the container of node-1 is gone, and its data was that of a primary",
      [down("node-1", { container: "missing" }), standby("node-2")],
      "failover",
    ],
    [
      "and the container of node-1 is gone, which was stopped cleanly",
      [down("node-1", { container: "missing", control: SHUT_DOWN }), standby("node-2")],
      "promote",
    ],
    [
      "and the container of node-1 is gone, which was stopped cleanly with more than node-2 has",
      [
        down("node-1", { container: "missing", control: SHUT_DOWN }),
        standby("node-2", { replayedLsn: END - 200n, receivedLsn: END - 200n }),
      ],
      "failover",
    ],
    ["and the engine of node-1 cannot be reached", [unreachable("node-1"), standby("node-2")], "failover"],
    ["and the engine of another standby cannot be reached", [unreachable("node-3"), primary("node-2")], "none"],
    ["and an interrupted switchover left standbys only", [standby("node-1"), standby("node-2")], "promote"],
    [
      "and node-1 is held as a standby, and stopped",
      [down("node-1", { standbySignal: true }), standby("node-2")],
      "start",
    ],
    ["and node-1 was fenced", [down("node-1", { fence: "fenced" }), standby("node-2")], "promote"],
    [
      "and a node without data is down",
      [down("node-3", { control: undefined }), primary("node-1"), standby("node-2")],
      "switchover",
    ],
  ];
  test.each(DECISIONS)("%s", (_title, nodes, kind) => {
    expect(decideRoles("node-2", true, nodes, { dispensable: ["node-1"], failed: [] }).kind).toBe(kind);
  });

  const REFUSALS: readonly (readonly [title: string, nodes: readonly NodeRole[], reason: RegExp])[] = [
    [
      "two take writes",
      [primary("node-1"), primary("node-2", { timeline: 2 })],
      /more than one node takes writes: node-1 on timeline 1 at 0\/5000000, node-2 on timeline 2/,
    ],
    ["it does not answer", [primary("node-1"), down("node-2")], /its server does not answer. Set `primary: node-1`/],
    [
      "it is of another cluster",
      [primary("node-1"), standby("node-2", { systemIdentifier: "1" })],
      /of another cluster/,
    ],
    [
      "it is on another timeline",
      [primary("node-1", { timeline: 2 }), standby("node-2")],
      /on timeline 1, and node-1 on timeline 2/,
    ],
    ["it does not stream", [primary("node-1"), standby("node-2", { streaming: false })], /does not stream/],
    [
      "it applies late",
      [primary("node-1"), standby("node-2", { applyDelayMilliseconds: 1000 })],
      /Take applyDelay from it/,
    ],
    [
      "it is far behind",
      [primary("node-1"), standby("node-2", { replayedLsn: END - BigInt(MAXIMUM_LAG_BYTES) - 1n })],
      /bytes behind/,
    ],
    [
      "another standby has more",
      [standby("node-1", { receivedLsn: END + 1n }), standby("node-2")],
      /node-1 has rows that node-2 has not/,
    ],
    [
      "another standby is on a newer timeline, at a smaller position",
      [standby("node-1", { history: SECOND, receivedLsn: END + 8n }), standby("node-2", { receivedLsn: END + 16n })],
      /node-1, on timeline 2, has parted from node-2, on timeline 1/,
    ],
    [
      "another standby was promoted to a timeline of the same number",
      [standby("node-1", { history: EARLIER_SECOND }), standby("node-2", { history: SECOND, receivedLsn: END + 8n })],
      /each has rows that the other has not/,
    ],
    [
      "nobody knows the way of another standby",
      [standby("node-1", { history: null }), standby("node-2")],
      /it cannot be told whether node-1 has rows/,
    ],
    [
      "it is of another cluster than the dead primary",
      [down("node-1"), standby("node-2", { systemIdentifier: "1" })],
      /its data is of another cluster than that of node-1/,
    ],
    ["its engine cannot be reached", [unreachable("node-2"), standby("node-1")], /cannot become the primary/],
    [
      "the engine of node-1 cannot be reached, but its server answers",
      [unreachable("node-1", true), standby("node-2")],
      /the server of node-1 answers, but nobody can see what it is or stop it/,
    ],
    [
      "the engines of two cannot be reached, and the server of one answers",
      [unreachable("node-1"), unreachable("node-3", true), standby("node-2")],
      /the server of node-3 answers, but nobody can see what it is or stop it/,
    ],
    [
      "it is down, and another one that is down was promoted since",
      [down("node-1", { control: NEWER }), down("node-2")],
      /node-2 was the primary up to timeline 1, and node-1 is on timeline 2: .* Set `primary: node-1` to keep them/,
    ],
    [
      "it is down, and a standby follows another one since",
      [down("node-1"), standby("node-3", { history: SECOND }), down("node-2")],
      /node-3 is on timeline 2: there has been another primary since/,
    ],
    [
      "it was restarted, and does not know yet what it has",
      [down("node-1"), standby("node-2", { stillReplays: true })],
      /node-2 cannot become the primary yet: node-2 was restarted, and still replays/,
    ],
    [
      "another standby was restarted, and does not know yet what it has",
      [standby("node-1", { stillReplays: true, receivedLsn: END - 500n }), standby("node-2")],
      /nobody is, and node-1 was restarted, and still replays .* `acknowledge: { rejoin: \[node-1\] }`/,
    ],
    ["it was replaced", [down("node-2", { container: "held" })], /cannot become the primary/],
    ["it has no container", [down("node-2", { container: "missing", control: undefined })], /pulumi up --refresh/],
  ];
  test.each(REFUSALS)("refused where %s", (_title, nodes, reason) => {
    const decision = decideRoles("node-2", true, nodes);
    expect(decision).toMatchObject({ kind: "refused", reason: expect.stringMatching(reason) as string });
  });
});

test("of several that are down the newest was the primary, whether it has a container or not", () => {
  const older = down("node-1", { control: control({ checkpointLsn: END - 500n }) });
  const newer = down("node-3", { container: "missing" });
  const unknown = down("node-4", { container: "missing", control: undefined, history: null });
  const decision = decideRoles("node-2", true, [older, unknown, newer, standby("node-2")]);
  expect(decision).toMatchObject({ kind: "failover", from: { name: "node-3" } });
});

test("one that died before its first checkpoint as a primary is newer than the one whose place it took", () => {
  const before = down("node-1", { control: SHUT_DOWN });
  const promoted = down("node-2", { control: control({ checkpointLsn: END - 500n }), newestTimeline: 2 });
  const target = standby("node-3", { history: SECOND, receivedLsn: END + 500n, replayedLsn: END + 500n });
  const decision = decideRoles("node-3", true, [before, promoted, target]);
  expect(decision).toMatchObject({ kind: "failover", from: { name: "node-2" } });
});

describe("node-1 was fenced, nobody was promoted yet, and it is wanted again", () => {
  const fenced = down("node-1", { fence: "fenced" });
  const decide = (...others: NodeRole[]) => decideRoles("node-1", false, [fenced, ...others]);

  test("it is taken back where all others are asked, and follow its timeline", () => {
    expect(decide(standby("node-2"), standby("node-3"))).toEqual({ kind: "unfence", node: "node-1" });
    const held = down("node-1", { fence: "fenced", container: "held" });
    expect(decideRoles("node-1", false, [held, standby("node-2")]).kind).toBe("unfence");
  });
  test("others that are stopped are started first", () => {
    expect(decide(down("node-2", { standbySignal: true })).kind).toBe("start");
  });
  test.each([
    [
      "another was promoted, and is a standby again",
      standby("node-2", { history: SECOND }),
      /does not follow its timeline 1/,
    ],
    ["nobody knows the way of another", standby("node-2", { history: null }), /node-2 does not follow/],
    ["another is of another cluster", standby("node-2", { systemIdentifier: "1" }), /node-2 does not follow/],
    ["another does not answer", down("node-2"), /cannot be told while node-2 cannot be asked/],
    [
      "another has no container",
      down("node-2", { container: "missing", standbySignal: true }),
      /cannot be told while node-2/,
    ],
    ["the engine of another cannot be reached", unreachable("node-2"), /cannot be told while node-2/],
  ])("but not where %s", (_title, other, reason) => {
    expect(decide(other, standby("node-3"))).toMatchObject({
      kind: "refused",
      reason: expect.stringMatching(reason) as string,
    });
  });
  test("nor where its data is half of something else, or does not tell its way", () => {
    for (const part of [
      { fence: "unfinished" },
      { fence: "fenced", history: null },
      { fence: "fenced", standbySignal: true, container: "held" },
    ] as const) {
      const decision = decideRoles("node-1", false, [down("node-1", part), standby("node-2")]);
      expect(decision).toMatchObject({
        kind: "refused",
        reason: expect.stringContaining("Name the node that was made primary in its place") as string,
      });
    }
  });
});

describe("an interrupted switchover beside a standby that does not start", () => {
  const stopped = down("node-3", { standbySignal: true });
  const looping = down("node-3", { standbySignal: true, container: "running" });
  const decide = (broken: NodeRole, trials?: Parameters<typeof decideRoles>[3]) =>
    decideRoles("node-2", true, [standby("node-1"), standby("node-2"), broken], trials);

  test("it is started first, or asked for", () => {
    expect(decide(stopped)).toEqual({ kind: "start", nodes: ["node-3"] });
    expect(decide(looping)).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining("`acknowledge: { rejoin: [node-3] }`") as string,
    });
  });
  test("also where what it has is given up: it may come up after all, and count", () => {
    const trials = { dispensable: ["node-3"], failed: [] };
    expect(decide(looping, trials)).toEqual({ kind: "start", nodes: ["node-3"] });
  });
  test("once that was tried in vain, what it alone has is what is lost", () => {
    const trials = { dispensable: ["node-3"], failed: ["node-3"] };
    expect(decide(stopped, trials)).toMatchObject({
      kind: "failover",
      from: { name: "node-3" },
      to: { name: "node-2" },
    });
    expect(decide(looping, trials).kind).toBe("failover");
  });
  test("an old primary that does not start after a clean stop is a dead one", () => {
    const nodes = [down("node-1", { control: SHUT_DOWN }), standby("node-2", { replayedLsn: END - 200n })];
    expect(decideRoles("node-2", true, nodes, { dispensable: [], failed: ["node-1"] }).kind).toBe("failover");
  });
});

test("a standby whose container is gone was no primary, and may have more than the others", () => {
  const gone = down("node-3", { container: "missing", standbySignal: true });
  const decision = decideRoles("node-2", true, [standby("node-1"), standby("node-2"), gone]);
  expect(decision).toMatchObject({
    kind: "refused",
    reason: expect.stringContaining("what these nodes have cannot be told: node-3") as string,
  });
});

test("a node that was promoted by hand is not demoted in passing", () => {
  const decision = decideRoles("node-1", false, [standby("node-1"), primary("node-2", { timeline: 2 })]);
  expect(decision).toMatchObject({
    kind: "refused",
    reason: expect.stringContaining("Set `primary: node-2` in the stack file to keep what is there") as string,
  });
});
