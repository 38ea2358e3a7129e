import { describe, expect, test } from "vitest";
import { describeFailover, judgeFailover, needsAcknowledgement, refusedFailover } from "../../operations/failover.ts";
import type { SynchronousGuarantee } from "../../operations/failover.ts";
import { parseLsn } from "../../operations/lsn.ts";
import type { DownNode, StandbyRole } from "../../operations/observe-roles.ts";

const standby = (name: string, received: string): StandbyRole => ({
  kind: "standby",
  name,
  timeline: 1,
  systemIdentifier: "7300000000000000000",
  receivedLsn: parseLsn(received),
  replayedLsn: parseLsn(received),
  streaming: false,
  applyDelayMilliseconds: 0,
});

const dead: DownNode = {
  kind: "down",
  name: "node-1",
  container: "stopped",
  control: undefined,
  standbySignal: false,
  fence: "none",
  why: "its container is exited",
  isHeard: false,
};

const accepted = (lostBytes: number | null, unfenced: readonly string[] = []) => ({ lostBytes, unfenced });

const end = parseLsn("0/3000100");
const behind = standby("node-2", "0/3000000");
const ahead = standby("node-3", "0/3000080");
const anyOne: SynchronousGuarantee = { count: 1, candidates: ["node-2", "node-3"] };

describe("what would be lost", () => {
  test("is what the dead primary wrote and the target never got", () => {
    const facts = judgeFailover("node-1", behind, end, [dead, behind, ahead], null);
    expect(facts).toMatchObject({ lostBytes: 256, best: "node-3", missedBytes: 128, acknowledgedRowsAreSafe: false });
    expect(describeFailover(facts, dead)).toEqual([
      "failover: node-1 does not answer, is fenced, and node-2 takes its place",
      "  The log of node-1 ends at 0/3000100, node-2 has received up to 0/3000000: 256 bytes would be lost.",
      "  node-3 has received 128 bytes more than node-2.",
      "  node-1 can be fenced: its engine answers.",
    ]);
  });

  test("cannot be told where the files of the dead primary do not tell", () => {
    const facts = judgeFailover("node-1", behind, null, [dead, behind], null);
    expect(facts.lostBytes).toBeNull();
    expect(needsAcknowledgement(facts)).toBe(true);
  });

  test("is nothing where the target has it all", () => {
    const facts = judgeFailover("node-1", standby("node-2", "0/3000100"), end, [dead], null);
    expect(refusedFailover(facts, dead, accepted(null))).toBeUndefined();
  });
});

describe("an acknowledgement", () => {
  const facts = judgeFailover("node-1", behind, end, [dead, behind], null);
  test.each([
    { acknowledged: null, refused: true },
    { acknowledged: 255, refused: true },
    { acknowledged: 256, refused: false },
  ])("of $acknowledged bytes", ({ acknowledged, refused }) => {
    expect(refusedFailover(facts, dead, accepted(acknowledged)) !== undefined).toBe(refused);
  });

  test("that is missing is named as it has to be written", () => {
    expect(refusedFailover(facts, dead, accepted(null))).toContain("`acknowledge: { failover: { lostBytes: 256 } }`");
  });
});

describe("of a node whose host cannot be reached", () => {
  const away: DownNode = {
    ...dead,
    container: "unreachable",
    why: "the Docker engine of db1 does not answer any more",
  };
  const facts = judgeFailover("node-1", behind, null, [away, behind], null);

  test("it is said that it is not fenced, and what that means", () => {
    expect(describeFailover(facts, away)).toEqual([
      "failover: node-1 cannot be reached, is NOT fenced, and node-2 takes its place",
      "  Where the log of node-1 ends cannot be told, node-2 has received up to 0/3000000.",
      expect.stringContaining("whether its host is dead or only cut off is not known"),
    ]);
  });
  test.each([
    [accepted(null), true],
    [accepted(0), true],
    [accepted(null, ["node-1"]), true],
    [accepted(0, ["node-2"]), true],
    [accepted(0, ["node-1"]), false],
  ])("%o is enough: not %s", (said, refused) => {
    expect(refusedFailover(facts, away, said) !== undefined).toBe(refused);
  });
  test("what another standby has and the target has not is a loss that is known, and counts", () => {
    const missing = judgeFailover("node-1", behind, null, [away, behind, ahead], null);
    expect(refusedFailover(missing, away, accepted(127, ["node-1"]))).toContain("lostBytes: 128, unfenced: [node-1]");
    expect(refusedFailover(missing, away, accepted(128, ["node-1"]))).toBeUndefined();
  });
  test("another one that cannot be reached has to be accepted as well: it may be the primary", () => {
    const both = judgeFailover("node-1", behind, null, [away, behind, { ...away, name: "node-3" }], null);
    expect(refusedFailover(both, away, accepted(0, ["node-1"]))).toContain(
      "`acknowledge: { failover: { lostBytes: 0, unfenced: [node-1, node-3] } }`",
    );
  });
  test("commits that waited for standbys are safe, and it is not fenced all the same", () => {
    const safe = judgeFailover("node-1", ahead, null, [away, behind, ahead], anyOne);
    expect(refusedFailover(safe, away, accepted(null))).toContain(
      "`acknowledge: { failover: { unfenced: [node-1] } }`",
    );
  });
});

describe("with synchronous replication", () => {
  const safe = (to: StandbyRole, answering: readonly StandbyRole[], guarantee: SynchronousGuarantee): boolean =>
    judgeFailover("node-1", to, end, [dead, ...answering], guarantee).acknowledgedRowsAreSafe;

  test("no acknowledged row is lost by a target that got as much as every candidate", () => {
    expect(safe(ahead, [behind, ahead], anyOne)).toBe(true);
  });
  test("one that got less than another candidate may miss what that one confirmed", () => {
    expect(safe(behind, [behind, ahead], anyOne)).toBe(false);
  });
  test("a candidate that does not answer may be the only one that has a commit", () => {
    expect(safe(behind, [behind], anyOne)).toBe(false);
    expect(safe(behind, [behind], { ...anyOne, count: 2 })).toBe(true);
  });
  test("a node that is no candidate never stands for one", () => {
    expect(safe(ahead, [ahead], { count: 1, candidates: ["node-2"] })).toBe(false);
  });
});
