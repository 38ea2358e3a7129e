import { describe, expect, test } from "vitest";
import { idleAcknowledgements, spentAfter, standingAcknowledgements } from "../../operations/data-loss.ts";
import type { AcceptedRoles, Losable } from "../../operations/data-loss.ts";
import { soleCopy } from "../../operations/sole-copy.ts";
import type { NodeData } from "../../operations/sole-copy.ts";

const NOTHING = { volumes: [], synchronous: false };
const dataVolume = (name: string) => ({ name, container: name, volume: `${name}-data` });
const ARCHIVE = { volume: "archive", holds: "the archived WAL" };

const losable = (part: Partial<Losable> = {}): Losable => ({
  image: "postgres:17",
  labels: {},
  primary: { name: "node-1", container: "node-1" },
  dataMount: "/data",
  dataDirectory: "/data/pgdata",
  dataVolumes: [dataVolume("node-1"), dataVolume("node-2")],
  irreplaceableVolumes: [ARCHIVE],
  synchronousStandbys: 1,
  acknowledge: NOTHING,
  ...part,
});

type Cluster = Extract<NodeData, { kind: "cluster" }>;
const cluster = (part: Partial<Cluster> = {}): Cluster => ({
  kind: "cluster",
  role: "standby",
  systemIdentifier: "7",
  timeline: 1,
  walLsn: "0/3000000",
  ...part,
});
const PRIMARY = { name: "node-1", data: cluster({ role: "primary", walLsn: "0/3000060" }) };

describe("what a node that leaves may hold alone", () => {
  test.each<[string, NodeData]>([
    ["an empty volume", { kind: "none" }],
    ["a standby that has received less than was written", cluster()],
    ["a stopped standby of the same timeline", cluster({ walLsn: null })],
  ])("%s: nothing", (_title, data) => {
    expect(soleCopy("node-2", data, PRIMARY)).toBeUndefined();
  });

  test.each<[string, NodeData, string]>([
    ["a volume that cannot be read", { kind: "unknown", why: "no engine" }, "could not be looked at (no engine)"],
    ["another cluster", cluster({ systemIdentifier: "8" }), "another cluster than node-1"],
    ["a primary", cluster({ role: "primary", timeline: 2 }), "a primary on timeline 2"],
    ["a standby of an older timeline", cluster({ timeline: 2 }), "node-2 is on timeline 2 and node-1 on timeline 1"],
    ["a standby that is ahead", cluster({ walLsn: "1/0" }), "has WAL up to 1/0 and node-1 only up to 0/3000060"],
  ])("%s: something", (_title, data, reason) => {
    expect(soleCopy("node-2", data, PRIMARY)).toContain(reason);
  });

  test.each<[string, NodeData]>([
    ["is empty", { kind: "none" }],
    ["is a standby", cluster()],
    ["does not run", cluster({ role: "primary", walLsn: null })],
  ])("everything, when the primary that stays %s", (_title, data) => {
    expect(soleCopy("node-2", cluster(), { name: "node-1", data })).toContain("node-1, which stays, does not answer");
  });
});

describe("an acknowledgement", () => {
  const acknowledge = { volumes: ["node-2-data", "archive"], synchronous: true };
  const smaller = { dataVolumes: [dataVolume("node-1")], irreplaceableVolumes: [], synchronousStandbys: 0 };

  test("is spent by the update that uses it, and stays so while it is there", () => {
    const used = losable({ ...smaller, acknowledge });
    const spent = spentAfter(losable(), used);
    expect(spent).toEqual(acknowledge);
    expect(idleAcknowledgements(losable(), used)).toEqual([]);

    const again = spentAfter({ ...used, spent }, losable({ acknowledge }));
    expect(again).toEqual(acknowledge);
    expect(idleAcknowledgements({ ...used, spent }, used)).toEqual([
      "acknowledge.volumes: node-2-data has been used, and counts once. Take it out of the stack file.",
      "acknowledge.volumes: archive has been used, and counts once. Take it out of the stack file.",
      "acknowledge.synchronous has been used, and counts once. Take it out of the stack file.",
    ]);
  });

  test("is a new one after an update without it", () => {
    const without = losable();
    expect(spentAfter({ ...losable({ acknowledge }), spent: acknowledge }, without)).toEqual(NOTHING);
  });

  test("that nothing uses is not spent, and is named", () => {
    const ahead = losable({ acknowledge });
    expect(spentAfter(losable(), ahead)).toEqual(NOTHING);
    expect(idleAcknowledgements(losable(), ahead)).toContain(
      "acknowledge.volumes: archive accepts nothing of this update. Take it out of the stack file.",
    );
    expect(spentAfter({ ...ahead, spent: NOTHING }, losable({ ...smaller, acknowledge }))).toEqual(acknowledge);
  });
});

describe("an acknowledged failover or rejoin", () => {
  const NONE = { failoverLostBytes: null, rejoin: [] };
  const roles = (
    acknowledgement: Partial<AcceptedRoles["acknowledgement"]> = {},
    primary = "node-2",
  ): AcceptedRoles => ({
    primary: { name: primary, container: primary },
    acknowledgement: { ...NONE, ...acknowledgement },
  });
  const standing = (what: string): string =>
    `${what} stands in the stack file since an earlier update, and would accept the next loss too: take it out, unless this update ends what that one began.`;

  test("that stood there in the last update, which had the same primary, is named", () => {
    const both = roles({ failoverLostBytes: 0, unfenced: ["node-1"], rejoin: ["node-1", "node-3"] });
    expect(standingAcknowledgements(both, both)).toEqual([
      standing("acknowledge.failover"),
      standing("acknowledge.rejoin: node-1, node-3"),
    ]);
    const another = roles({ failoverLostBytes: 0, unfenced: ["node-3"], rejoin: ["node-3"] });
    expect(standingAcknowledgements(both, another)).toEqual([standing("acknowledge.rejoin: node-3")]);
  });

  test.each<[string, AcceptedRoles | undefined, AcceptedRoles]>([
    ["was never there", roles(), roles()],
    ["is in the first update", undefined, roles({ failoverLostBytes: 0, rejoin: ["node-3"] })],
    ["is new", roles(), roles({ failoverLostBytes: 0, rejoin: ["node-3"] })],
    ["accepts more than before", roles({ failoverLostBytes: 0 }), roles({ failoverLostBytes: 100 })],
    ["belongs to another primary", roles({ failoverLostBytes: 0 }, "node-1"), roles({ failoverLostBytes: 0 })],
    ["was taken out", roles({ failoverLostBytes: 0, rejoin: ["node-3"] }), roles()],
  ])("that %s is not", (_title, before, after) => {
    expect(standingAcknowledgements(before, after)).toEqual([]);
  });
});
