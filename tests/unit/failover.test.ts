import { describe, expect, test } from "vitest";
import { describeFailover, judgeFailover, needsAcknowledgement, refusedFailover } from "../../operations/failover.ts";
import type { LostBytes } from "../../operations/role-environment.ts";
import type { SynchronousGuarantee } from "../../operations/synchronous.ts";
import { parseLsn } from "../../operations/lsn.ts";
import type { DownNode, StandbyRole } from "../../operations/observe-roles.ts";
import { parseHistory } from "../../operations/timeline-history.ts";
import type { TimelineSpan } from "../../operations/timeline-history.ts";

const FIRST = parseHistory(1, "");
const SECOND = parseHistory(2, "1\t0/2000000\tno recovery target specified\n");
/** Parted from the second, and the number says nothing of who has more. */
const THIRD = parseHistory(3, "1\t0/1000000\tno recovery target specified\n");

const standby = (name: string, received: string, history: readonly TimelineSpan[] | null = FIRST): StandbyRole => ({
  kind: "standby",
  name,
  timeline: history?.at(-1)?.timeline ?? 2,
  history,
  systemIdentifier: "7300000000000000000",
  receivedLsn: parseLsn(received),
  replayedLsn: parseLsn(received),
  streaming: false,
  streamsFrom: null,
  stillReplays: false,
  applyDelayMilliseconds: 0,
});

const dead: DownNode = {
  kind: "down",
  name: "node-1",
  container: "stopped",
  control: undefined,
  newestTimeline: null,
  history: null,
  standbySignal: false,
  fence: "none",
  why: "its container is exited",
  isHeard: false,
};

const accepted = (lostBytes: LostBytes | null, unfenced: readonly string[] = []) => ({ lostBytes, unfenced });

const endsAt = (lsn: string, history: readonly TimelineSpan[] | null = FIRST) => ({ lsn: parseLsn(lsn), history });
const end = endsAt("0/3000100");
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

  test("cannot be said to be nothing acknowledged while another standby does not know yet what it has", () => {
    const [target, other] = [standby("node-2", "0/3000000"), standby("node-3", "0/2000000")];
    const facts = (third: StandbyRole) => judgeFailover("node-1", target, null, [dead, target, third], anyOne);
    expect(needsAcknowledgement(facts(other))).toBe(false);
    expect(needsAcknowledgement(facts({ ...other, stillReplays: true }))).toBe(true);
  });

  test("is nothing where the target has it all", () => {
    const facts = judgeFailover("node-1", standby("node-2", "0/3000100"), end, [dead], null);
    expect(refusedFailover(facts, dead, accepted(null))).toBeUndefined();
  });
});

describe("positions on other timelines", () => {
  const later = endsAt("0/3000100", SECOND);

  test("a target that stayed on the timeline before has of the dead primary's what was written before it", () => {
    const facts = judgeFailover("node-1", standby("node-2", "0/4000000"), later, [dead], null);
    expect(facts).toMatchObject({ lostBytes: 0x1000100, partedAtLsn: parseLsn("0/2000000") });
    expect(needsAcknowledgement(facts)).toBe(true);
    expect(describeFailover(facts, dead)[1]).toBe(
      "  The log of node-1 ends at 0/3000100, node-2 has received up to 0/4000000, but went another way from 0/2000000 on: 16777472 bytes would be lost.",
    );
  });

  test("a target that went on to a timeline of its own has nothing of what was written behind the fork", () => {
    const facts = judgeFailover("node-1", standby("node-2", "0/9000000", THIRD), later, [dead], null);
    expect(facts).toMatchObject({ lostBytes: 0x2000100, partedAtLsn: parseLsn("0/1000000") });
  });

  test("a target that went on from behind the end of the dead primary has all of it", () => {
    const facts = judgeFailover("node-1", standby("node-2", "0/2000100", SECOND), endsAt("0/2000000"), [dead], null);
    expect(facts).toMatchObject({ lostBytes: 0, partedAtLsn: null });
  });

  test("without a history nobody knows what would be lost, and it is not nothing", () => {
    for (const facts of [
      judgeFailover("node-1", standby("node-2", "0/4000000", null), later, [dead], null),
      judgeFailover("node-1", standby("node-2", "0/4000000", SECOND), endsAt("0/3000100", null), [dead], null),
    ]) {
      expect(facts.lostBytes).toBeNull();
      expect(needsAcknowledgement(facts)).toBe(true);
      expect(describeFailover(facts, dead)[1]).toContain("cannot be told, nor what would be lost");
    }
  });

  test("a standby on an older timeline has not more because its position is greater", () => {
    const [old, target] = [standby("node-3", "0/4000000"), standby("node-2", "0/3000000", SECOND)];
    const facts = judgeFailover("node-1", target, later, [dead, old, target], null);
    expect(facts).toMatchObject({ best: "node-2", missedBytes: 0, lostBytes: 256 });
  });

  test("a standby on the timeline of the dead primary has more than one with a greater position on an older one", () => {
    const [target, right] = [standby("node-2", "0/4000000"), standby("node-3", "0/3000000", SECOND)];
    const facts = judgeFailover("node-1", target, later, [dead, right, target], null);
    expect(facts).toMatchObject({ best: "node-3", missedBytes: 0x1000000 });
  });

  test("nor does it stand for a candidate that has confirmed commits on the newer one", () => {
    const guarantee = { count: 1, candidates: ["node-2", "node-3"] };
    const [target, right] = [standby("node-2", "0/4000000"), standby("node-3", "0/3000000", SECOND)];
    const safe = (to: StandbyRole, log: typeof later | null) =>
      judgeFailover("node-1", to, log, [dead, right, target], guarantee).acknowledgedRowsAreSafe;
    expect([safe(target, later), safe(target, null)]).toEqual([false, false]);
    expect(safe(right, later)).toBe(true);
    const blind = standby("node-3", "0/3000000", null);
    expect(judgeFailover("node-1", target, later, [dead, blind, target], guarantee).acknowledgedRowsAreSafe).toBe(
      false,
    );
  });
});

describe("of a node whose container is gone", () => {
  const gone: DownNode = { ...dead, container: "missing", why: "there is no container" };
  const kept: DownNode = {
    ...gone,
    control: {
      systemIdentifier: "7300000000000000000",
      state: "in production",
      writtenAtSeconds: 0,
      checkpointLsn: parseLsn("0/2000000"),
      redoLsn: parseLsn("0/2000000"),
      timeline: 1,
    },
    history: FIRST,
  };

  test("its data counts, and can be fenced", () => {
    const facts = judgeFailover("node-1", behind, end, [kept, behind], null);
    expect(refusedFailover(facts, kept, accepted(null))).toBe(
      "node-1 may be the primary, and its container is gone; node-2 would take its place. The log of node-1 ends at 0/3000100, node-2 has received up to 0/3000000: 256 bytes would be lost. node-1 has no container, and its data can be fenced. Run `pulumi up --refresh` with it as the primary, which makes a new container around its data, to lose nothing; or accept the loss with `acknowledge: { failover: { lostBytes: 256 } }` in the stack file.",
    );
  });
  test("with its data gone nobody knows what would be lost", () => {
    const facts = judgeFailover("node-1", behind, null, [gone, behind], null);
    expect(facts.lostBytes).toBeNull();
    expect(refusedFailover(facts, gone, accepted(null))).toContain("there is nothing to fence. Accept the loss with");
  });
  test("nor what another one had of which nothing is left, a guarantee or not", () => {
    const nothing = { ...gone, name: "node-3" };
    const guarantee = { count: 1, candidates: ["node-2"] };
    const all = standby("node-2", "0/3000100");
    const facts = judgeFailover("node-1", all, end, [dead, nothing, all], guarantee);
    expect(facts).toMatchObject({ lostBytes: null, acknowledgedRowsAreSafe: false, lost: ["node-3"] });
    expect(describeFailover(facts, dead)).toContain(
      "  Of node-3 nothing is left: whether it was the primary, and what it had, cannot be told.",
    );
  });
});

describe("an acknowledgement", () => {
  const facts = judgeFailover("node-1", behind, end, [dead, behind], null);
  test.each([
    { acknowledged: null, refused: true },
    { acknowledged: 255, refused: true },
    { acknowledged: 256, refused: false },
    { acknowledged: "unknown" as const, refused: true },
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
      "  Where the log of node-1 ends cannot be told, node-2 has received up to 0/3000000: how much would be lost is not known.",
      expect.stringContaining("whether its host is dead or only cut off is not known"),
    ]);
  });
  test.each([
    [accepted(null), true],
    [accepted(0), true],
    [accepted(null, ["node-1"]), true],
    [accepted(0, ["node-2"]), true],
    [accepted(1_000_000_000, ["node-1"]), true],
    [accepted("unknown"), true],
    [accepted("unknown", ["node-1"]), false],
  ])("%o is enough: not %s", (said, refused) => {
    expect(refusedFailover(facts, away, said) !== undefined).toBe(refused);
  });
  test("one that has less than another standby is refused, whatever is accepted", () => {
    const missing = judgeFailover("node-1", behind, null, [away, behind, ahead], null);
    for (const lostBytes of [128, "unknown"] as const) {
      const refusal = refusedFailover(missing, away, accepted(lostBytes, ["node-1"]));
      expect(refusal).toContain("node-3 has received 128 bytes more than node-2: set `primary: node-3`.");
    }
  });
  test.each([
    ["it applies late", behind, { ...ahead, applyDelayMilliseconds: 3_600_000 }],
    ["it was left on an older timeline", standby("node-2", "0/2000100", SECOND), ahead],
  ])("one that has more and cannot take its place, since %s, is told of and holds nobody up", (_why, to, more) => {
    const facts = judgeFailover("node-1", to, null, [away, to, more], null);
    expect(refusedFailover(facts, away, accepted("unknown", ["node-1"]))).toBeUndefined();
    expect(describeFailover(facts, away)[2]).toMatch(/node-3 has received \d+ bytes more than node-2/);
  });
  test("another one that cannot be reached has to be accepted as well: it may be the primary", () => {
    const both = judgeFailover("node-1", behind, null, [away, behind, { ...away, name: "node-3" }], null);
    expect(refusedFailover(both, away, accepted("unknown", ["node-1"]))).toContain(
      "`acknowledge: { failover: { lostBytes: unknown, unfenced: [node-1, node-3] } }`",
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
