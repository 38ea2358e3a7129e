import { expect, test } from "vitest";
import { problemSentence } from "../../commands/status-report.ts";
import { outlineOf, primaryAmong } from "../../operations/outline.ts";
import { problems } from "../../operations/problems.ts";
import type { Seen } from "../../operations/problems.ts";
import type { BackupStatus } from "../../operations/status-schema.ts";
import { HEALTHY, observations, slot } from "./topology-support.ts";

const NOW = new Date("2026-11-21T12:00:00Z");
const IN_A_YEAR = new Date("2027-11-21T12:00:00Z");
const NEWEST = {
  id: "20261121T020001",
  endedAt: "2026-11-21T02:00:09.000Z",
  ageSeconds: 35_991,
  sizeBytes: 32_000_000,
};
const BACKUP: BackupStatus = {
  container: "the-barman",
  state: "running",
  restorable: 2,
  newest: NEWEST,
  lastDrill: null,
  failedChecks: [],
  freeBytes: 1_000_000_000,
};
const DRILL = {
  backup: "20261121T020001",
  at: "2026-11-21T03:00:00Z",
  ageSeconds: 32_400,
  rtoSeconds: 4,
  rpoSeconds: 1,
};

/** Everything is as it shall be, but for what is given. */
function sentences(differences: Parameters<typeof observations>[0], more: Partial<Seen> = {}): string[] {
  const observed = observations(differences);
  const nodes = observed.map((node) => ({
    name: node.name,
    slot: node.name.replaceAll("-", "_"),
    server: node.answers ? node.server : undefined,
    restoreCommand: "",
  }));
  const seen: Seen = {
    stack: "dev",
    now: NOW,
    observations: observed,
    outline: outlineOf(nodes, primaryAmong(nodes), []),
    containers: new Map(nodes.map(({ name }) => [name, `container-of-${name}`])),
    certificateEnds: new Map([["node-1", IN_A_YEAR]]),
    withStandbySignal: ["node-2", "node-3"],
    divergences: [],
    backup: BACKUP,
    ...more,
  };
  return problems(seen).map(problemSentence);
}

const silent = (name: string, container: "stopped" | "held" | "running", why: string) =>
  ({ name, answers: false, container, why }) as const;

test("a healthy topology has no problem, whoever is the primary and whoever cascades", () => {
  expect(sentences({})).toEqual([]);
});

test("what a preview finds is told with why it matters and what to run", () => {
  expect(sentences({ "node-3": silent("node-3", "stopped", "it is not running") })).toEqual([
    "node-3: its container is stopped; it serves nobody, and cannot take over: `npm start -- --stack dev` brings it back.",
  ]);
});

test("a primary whose next start is one as a standby", () => {
  expect(sentences({}, { withStandbySignal: ["node-1", "node-2", "node-3"] })).toEqual([
    expect.stringMatching(/^node-1: an interrupted switchover left it to start as a standby next time/),
  ]);
});

test("a standby that is away is one of the node that keeps WAL for it", () => {
  const kept = [slot("node_1", "unreserved"), { ...slot("node_3", "kept"), secondsUntilLost: 9000 }];
  const found = sentences({
    "node-2": { senders: [], slots: kept },
    "node-3": silent("node-3", "stopped", "it is not running"),
  });
  expect(found).toContainEqual(
    expect.stringMatching(/^node-3: node-2 keeps WAL for it, and at the present rate loses it in about 3 h; /),
  );
});

test("a forecast that is years away is none", () => {
  const slots = [{ ...slot("node_2", "kept"), secondsUntilLost: 1e9 }, slot("node_3", "unreserved")];
  const found = sentences({
    "node-1": { senders: [], slots },
    "node-2": silent("node-2", "stopped", "it is not running"),
  });
  expect(found[0]).toMatch(/^node-2: its container is stopped/);
  expect(found.join("\n")).not.toContain("at the present rate");
});

test("a node that its guard holds is told in the guard's words", () => {
  const why = "node-2 is on timeline 2, node-3 on timeline 1";
  expect(sentences({ "node-3": silent("node-3", "held", why) })).toEqual([
    expect.stringContaining(`node-3: its guard keeps it from starting (${why}); it would be a second primary: `),
  ]);
});

test("a server that does not answer: its log is the next thing to look at", () => {
  const [sentence] = sentences({ "node-3": silent("node-3", "running", "no answer in 2 s") });
  expect(sentence).toContain("`docker logs --tail 50 container-of-node-3`");
});

test("without a primary nobody can write, and nobody is blamed for streaming from nobody", () => {
  expect(sentences({ "node-1": silent("node-1", "stopped", "it is not running") })).toEqual([
    expect.stringMatching(/^no node takes writes; nobody can write: /),
    expect.stringMatching(/^node-1: its container is stopped/),
  ]);
});

test("two primaries, and where they parted", () => {
  const promoted = { ...HEALTHY["node-3"], role: "primary", timeline: 2 } as const;
  const divergences = [
    {
      forkLsn: "0/3000148",
      nodes: [
        { name: "node-3", timeline: 2, ownBytes: 184 },
        { name: "node-1", timeline: 1, ownBytes: 256 },
      ],
    },
  ];
  const found = sentences({ "node-3": promoted }, { divergences });
  expect(found[0]).toMatch(/^node-1 and node-3 take writes; what is written to both can never be joined again: /);
  expect(found[1]).toMatch(
    /^node-1: it has parted from node-3 at 0\/3000148: since then it has 256 bytes of its own on timeline 1, and node-3 184 on timeline 2; /,
  );
  expect(found.join("\n")).not.toContain("stack file makes it");
});

test("where two parted may be unknown", () => {
  const nodes = ["node-1", "node-3"].map((name) => ({ name, timeline: 1, ownBytes: null }));
  expect(sentences({}, { divergences: [{ forkLsn: null, nodes }] })).toEqual([
    expect.stringContaining("(timelines 1 and 1), and where they parted cannot be told"),
  ]);
});

test.each([
  [30, "its certificate ends in 30 days, on 2026-12-21"],
  [-1, "its certificate has ended, on 2026-11-20"],
])("a certificate with %d days left", (days, what) => {
  const end = new Date(NOW.getTime() + days * 86_400_000);
  expect(sentences({}, { certificateEnds: new Map([["node-2", end]]) })).toEqual([
    expect.stringContaining(`node-2: ${what}; `),
  ]);
});

test.each<[Partial<BackupStatus>, string]>([
  [{ state: "exited", restorable: null, newest: null, failedChecks: null }, "the backup server is exited; "],
  [{ state: "no answer", restorable: null, newest: null, failedChecks: null }, "does not answer in time; "],
  [{ restorable: 0, newest: null }, "no backup can be restored; there is nothing to go back to: "],
  [
    { lastDrill: { ...DRILL, failure: "it is spoiled. pg_verifybackup: checksum mismatch.\nand more" } },
    "the drill of the backup 20261121T020001 failed: it is spoiled. pg_verifybackup: checksum mismatch; ",
  ],
  [
    { lastDrill: { ...DRILL, backup: "20261112T020001", ageSeconds: 8.5 * 86_400, failure: null } },
    "the newest backup, 20261121T020001, was never drilled, and the last drill, of 20261112T020001, was 8 days ago; that it can be restored is only believed: `npm start -- --stack dev`",
  ],
  [{ freeBytes: 31_000_000 }, "its volume has 31 MB free, which is too little for the WAL that is to come; "],
  [
    { freeBytes: 40_000_000, newest: { ...NEWEST, sizeBytes: 41_000_000 } },
    "its volume has 40 MB free, and the last base backup took 41 MB: there is no room for another one; ",
  ],
  [
    { failedChecks: null },
    "`barman check` has not ended in time; whether there is a backup to go back to cannot be told: ",
  ],
  [{ failedChecks: ["backup maximum age (3 days)"] }, "the backup server: backup maximum age (3 days); "],
])("backups: %j", (difference, what) => {
  expect(sentences({}, { backup: { ...BACKUP, ...difference } })).toEqual([expect.stringContaining(what)]);
});

test.each<[string, BackupStatus["lastDrill"]]>([
  ["was lately", { ...DRILL, backup: "20261115T020001", ageSeconds: 6 * 86_400, failure: null }],
  ["was of the newest backup", { ...DRILL, ageSeconds: 30 * 86_400, failure: null }],
])("a drill that %s is not too old", (_title, lastDrill) => {
  expect(sentences({}, { backup: { ...BACKUP, lastDrill } })).toEqual([]);
});

test("of a standby or a backup server that is gone with its data the slot is left", () => {
  const slots = [slot("node_2", "active"), slot("node_9", "kept"), slot("free", "unreserved")];
  const senders = HEALTHY["node-1"].senders;
  expect(sentences({ "node-1": { senders, slots } })).toContainEqual(
    expect.stringMatching(/^node-1: its slot node_9 is kept for somebody who is gone; .* --refresh --stack dev/),
  );
  expect(sentences({ "node-1": { senders, slots } }).join("\n")).not.toContain("slot free");
});

test("a stack without a backup server needs none", () => {
  expect(sentences({}, { backup: null })).toEqual([]);
});
