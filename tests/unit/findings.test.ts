import { expect, test } from "vitest";
import { findings, levelOf } from "../../operations/findings.ts";
import type { NodeObservation, PendingParameter } from "../../operations/observe.ts";
import type { Slot } from "../../operations/slots.ts";
import type { TopologyShape } from "../../operations/topology.ts";
import { HEALTHY, SHAPE, observations, sender, slot } from "./topology-support.ts";

const silent = (container: "missing" | "stopped" | "running"): Exclude<NodeObservation, { answers: true }> => ({
  name: "node-3",
  answers: false,
  container,
  why: "connection refused",
});
const pending: PendingParameter = { name: "max_connections", running: "100", pending: "200" };
const without = (name: string) => HEALTHY["node-1"].slots.filter((slot) => slot.name !== name);

const FOUND: readonly (readonly [
  title: string,
  differences: Parameters<typeof observations>[0],
  expected: readonly (readonly [node: string, what: string, remedy: string | null])[],
])[] = [
  ["nothing where all is well", {}, []],
  [
    "a container that is gone",
    { "node-3": silent("missing") },
    [["node-3", "its container is gone", "run `pulumi up --refresh`, which makes a new one"]],
  ],
  [
    "a container that is stopped",
    { "node-3": silent("stopped") },
    [["node-3", "its container is stopped", "it is started"]],
  ],
  [
    "a server that does not answer",
    { "node-3": silent("running") },
    [["node-3", "it does not answer (connection refused)", "it is waited for"]],
  ],
  [
    "a role that the stack file does not give",
    { "node-3": { role: "primary", timeline: 2, promotedAt: "2026-11-21 12:03 UTC" } },
    [
      [
        "node-3",
        "it is primary on timeline 2 since 2026-11-21 12:03 UTC, and the stack file makes it a standby. Set `primary: node-3` to adopt it; or, if its rows since then are not wanted, stop it (docker stop): the next update lets it rejoin as a standby. Neither is done unasked",
        null,
      ],
    ],
  ],
  [
    "what ALTER SYSTEM has set",
    { "node-2": { alteredSystem: ["jit", "work_mem"] } },
    [["node-2", "ALTER SYSTEM has set jit, work_mem, past the stack file", "it is reset"]],
  ],
  [
    "commits that wait for fewer standbys than they shall",
    {
      "node-1": {
        alteredSystem: ["synchronous_standby_names", "work_mem"],
        senders: [sender("node-2", { syncState: "quorum" })],
        synchronous: { names: 'ANY 1 ("node-2")', waitingCommits: 0, oldestWaitSeconds: 0 },
      },
    },
    [
      [
        "node-1",
        'commits wait for ANY 1 ("node-2") only, past the stack file',
        "all are waited for again once they stream",
      ],
      ["node-1", "ALTER SYSTEM has set work_mem, past the stack file", "it is reset"],
    ],
  ],
  [
    "a standby that was paused",
    { "node-3": { replayPaused: true } },
    [["node-3", "replay is paused", "it is resumed"]],
  ],
  [
    "a standby that does not stream",
    { "node-1": { senders: [] } },
    [["node-2", "it does not stream from node-1", "it is waited for"]],
  ],
  [
    "a standby that was away for longer than its upstream keeps WAL",
    { "node-1": { senders: [], oldestWalLsn: "0/4000000" } },
    [
      ["node-2", "it does not stream from node-1", "it is waited for"],
      [
        "node-2",
        "node-1 has no longer the WAL that it needs: its own ends at 0/3000000, and that of node-1 begins at 0/4000000",
        "a new base backup of it is taken",
      ],
    ],
  ],
  [
    "a standby that was just restarted, and does not know yet what it has",
    { "node-1": { senders: [], oldestWalLsn: "0/4000000" }, "node-2": { stillReplays: true } },
    [["node-2", "it does not stream from node-1", "it is waited for"]],
  ],
  [
    "a delayed standby that is at what it received before it was disconnected",
    { "node-1": { senders: [] }, "node-2": { appliesLate: true } },
    [],
  ],
  [
    "a standby that still catches up",
    { "node-1": { senders: [sender("node-2", { state: "catchup" })] } },
    [["node-2", "its replication from node-1 is in state catchup", "it is waited for"]],
  ],
  [
    "replication without TLS",
    { "node-1": { senders: [sender("node-2", { ssl: false })] } },
    [["node-2", "it streams from node-1 without TLS", "it is waited for"]],
  ],
  [
    "replication from a slot of another",
    { "node-1": { senders: [sender("node-2", { slot: "node_3" })] } },
    [["node-2", "it streams from node-1 without its slot node_2", "it is waited for"]],
  ],
  [
    "a slot that is missing",
    { "node-1": { slots: without("node_3") } },
    [["node-1", "slot node_3 is missing", "it is made"]],
  ],
  [
    "a slot that keeps WAL for nobody",
    { "node-1": { slots: [...without("node_3"), slot("node_3", "kept")] } },
    [["node-1", "slot node_3 keeps WAL for nobody", "it is made anew"]],
  ],
  [
    "a standby that was away for too long",
    {
      "node-1": {
        senders: [],
        slots: [...without("node_2"), { ...slot("node_2", "unreserved"), lostCloneBytes: 31_500_000 }],
      },
    },
    [
      ["node-2", "it does not stream from node-1", "it is waited for"],
      [
        "node-2",
        "node-1 has no longer the WAL that it needs: it was away for more than max_slot_wal_keep_size",
        "a new base backup of it is taken, 31.5 MB, about 2 s, from the primary",
      ],
    ],
  ],
  [
    "a standby that will have been away for too long",
    {
      "node-1": {
        senders: [],
        slots: [...without("node_2"), { ...slot("node_2", "kept"), secondsUntilLost: 9000 }],
      },
    },
    [
      ["node-2", "it does not stream from node-1", "it is waited for"],
      ["node-2", "node-1 keeps WAL for it, and at the present rate loses it in about 3 h", "it is waited for"],
    ],
  ],
  [
    "commits that wait for standbys that are not there",
    {
      "node-1": {
        synchronous: { names: 'ANY 2 ("node-2", "node-3")', waitingCommits: 2, oldestWaitSeconds: 75 },
      },
    },
    [
      [
        "node-1",
        "commits wait for 2 of node-2, node-3, and 1 can confirm them; 2 commits wait, the oldest for 75 s",
        "it is waited for",
      ],
    ],
  ],
  [
    "a commit that waits although standbys are there",
    {
      "node-1": {
        senders: [sender("node-2", { syncState: "quorum" })],
        synchronous: { names: 'ANY 1 ("node-2")', waitingCommits: 1, oldestWaitSeconds: 3 },
      },
    },
    [["node-1", "1 commit waits, the oldest for 3 s", "it is waited for"]],
  ],
  [
    "nothing in a commit that is being confirmed",
    {
      "node-1": {
        senders: [sender("node-2", { syncState: "quorum" })],
        synchronous: { names: 'ANY 1 ("node-2")', waitingCommits: 1, oldestWaitSeconds: 0.01 },
      },
    },
    [],
  ],
  [
    "parameters that wait for a restart",
    { "node-2": { pendingRestart: [pending] } },
    [["node-2", "max_connections waits for a restart", "it is restarted, in the right order"]],
  ],
  [
    "a line that a server refuses",
    { "node-2": { fileErrors: ["postgresql.conf:7: work_mem invalid value"] } },
    [["node-2", "postgresql.conf:7: work_mem invalid value", "its files are written again, by a reload"]],
  ],
];

const withParameters = (parameters: Record<string, string>): TopologyShape => ({
  ...SHAPE,
  nodes: SHAPE.nodes.map((node) => ({ ...node, parameters })),
});

test("commits that wait for whom they shall, while those have not confirmed the ones before", () => {
  const names = 'ANY 1 ("node-2")';
  const [found, ...others] = findings(
    withParameters({ synchronous_standby_names: names }),
    observations({
      "node-1": {
        alteredSystem: ["synchronous_standby_names"],
        senders: [sender("node-2", { syncState: "quorum" })],
        synchronous: { names, waitingCommits: 0, oldestWaitSeconds: 0 },
      },
    }),
  );
  expect(others).toEqual([]);
  expect(found?.what).toBe(
    `commits wait for ${names}, and whether those have what was committed before is not confirmed`,
  );
  expect(found?.remedy).toBe("it is waited for until they have");
});

test("a server that runs with what it shall, and would come back with something else, is not restarted", () => {
  const found = findings(
    withParameters({ max_connections: "100" }),
    observations({ "node-2": { pendingRestart: [pending] } }),
  );
  expect(found.map((one) => [one.kind, levelOf(one)])).toEqual([["restart-pending", "reload"]]);
});

test.each(FOUND)("it finds %s", (_title, differences, expected) => {
  const found = findings(SHAPE, observations(differences));
  expect(found.map(({ node, what, remedy }) => [node, what, remedy])).toEqual(expected);
});

test("it finds a slot of no node that is missing, on the primary and where it waits", () => {
  const found = findings({ ...SHAPE, otherSlots: ["barman"] }, observations({}));
  expect(found.map(({ node, what, remedy }) => `${node}: ${what}: ${remedy}`)).toEqual([
    "node-1: slot barman is missing: it is made",
    "node-2: slot barman is missing: it is made",
    "node-3: slot barman is missing: it is made",
  ]);
});

test("it finds slots of who has left, unless somebody streams from them, and leaves others alone", () => {
  const more = [slot("node_4", "kept"), slot("node_5", "active"), slot("of_a_tool", "kept")];
  const differences = { "node-3": { slots: [...HEALTHY["node-3"].slots, ...more] } };
  const found = findings({ ...SHAPE, retiredSlots: ["node_4", "node_5", "node_6"] }, observations(differences));
  expect(found.map(({ node, what, remedy }) => `${node}: ${what}: ${remedy}`)).toEqual([
    "node-3: slot node_4 is of nobody that is left: it is dropped",
  ]);
});

test("it finds a slot of no node that keeps WAL anywhere but on the primary", () => {
  const kept = slot("barman", "kept");
  const withKept = (name: "node-1" | "node-2") => ({ slots: [...HEALTHY[name].slots, kept] });
  const unreserved = { slots: [...HEALTHY["node-3"].slots, { ...kept, restartLsn: null }] };
  const differences = { "node-1": withKept("node-1"), "node-2": withKept("node-2"), "node-3": unreserved };
  const found = findings({ ...SHAPE, otherSlots: ["barman"] }, observations(differences));
  expect(found.map(({ node, what, remedy }) => `${node}: ${what}: ${remedy}`)).toEqual([
    "node-2: slot barman keeps WAL for nobody: it is made anew",
  ]);
});

test.each<[string, Partial<Slot>, string[]]>([
  ["more than half", { retainedBytes: 33e6, bytesUntilLost: 32e6 }, ["it is waited for"]],
  ["less than half", { retainedBytes: 32e6, bytesUntilLost: 33e6 }, []],
  ["without a limit", { retainedBytes: 33e6, bytesUntilLost: null }, []],
  ["while it receives", { active: true, retainedBytes: 33e6, bytesUntilLost: 32e6 }, []],
  ["too much", { lostCloneBytes: 5e8 }, ["the slot is made anew, and another base backup is taken"]],
])("what the primary keeps for the backup server: %s", (_title, part, remedies) => {
  const waiting = slot("barman", "unreserved");
  const found = findings(
    { ...SHAPE, otherSlots: ["barman"] },
    observations({
      "node-1": { slots: [...HEALTHY["node-1"].slots, { ...slot("barman", "kept"), ...part }] },
      "node-2": { slots: [...HEALTHY["node-2"].slots, waiting] },
      "node-3": { slots: [...HEALTHY["node-3"].slots, waiting] },
    }),
  );
  expect(found.map(({ node, remedy }) => [node, remedy])).toEqual(remedies.map((remedy) => ["node-1", remedy]));
});
