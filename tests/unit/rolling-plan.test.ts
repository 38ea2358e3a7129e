import { describe, expect, test } from "vitest";
import { nodesWithOwnImage, rollingStackFile, rollingSteps } from "../../commands/rolling-plan.ts";
import type { RollingStackFile } from "../../commands/rolling-plan.ts";

const BEFORE = "postgres:17.5";
const NEXT = "postgres:17.6";

interface Node {
  readonly name: string;
  readonly image?: string;
  readonly applyDelay?: string;
  readonly upstream?: string;
}

const file = (nodes: readonly Node[], more: Partial<RollingStackFile> = {}): RollingStackFile =>
  rollingStackFile.parse({ primary: "node-1", image: BEFORE, nodes, ...more });

const THREE = [{ name: "node-1" }, { name: "node-2" }, { name: "node-3" }];

test.each<[string, readonly Node[], readonly string[]]>([
  ["has none", [{ name: "node-1" }, { name: "node-2" }], []],
  ["has another one", [{ name: "node-1" }, { name: "node-2", image: BEFORE }], ["node-2"]],
  ["has the one that the stack gets", [{ name: "node-1" }, { name: "node-2", image: NEXT }], []],
])("a node that %s of its own", (_title, nodes, behind) => {
  expect(nodesWithOwnImage(file(nodes), NEXT)).toEqual(behind);
});

describe("the updates of a rolling update", () => {
  test("standbys first, then another primary, then the old one", () => {
    expect(rollingSteps(file(THREE), NEXT)).toEqual([
      { kind: "standbys", indices: [1, 2] },
      { kind: "switchover", to: "node-2" },
      { kind: "all", ownImages: [1, 2] },
    ]);
  });

  test("a node that applies late, or has an upstream, is no successor: the stack file would be refused", () => {
    const cascaded = { name: "node-2", upstream: "node-3" };
    const late = { name: "node-3", applyDelay: "5min" };
    const to = (...nodes: Node[]) => rollingSteps(file([{ name: "node-1" }, ...nodes]), NEXT)[1];
    expect(to(cascaded, { name: "node-3" })).toEqual({ kind: "switchover", to: "node-3" });
    expect(to({ name: "node-2", upstream: "node-1" }, { name: "node-3" })).toEqual({
      kind: "switchover",
      to: "node-3",
    });
    expect(rollingSteps(file([{ name: "node-1" }, cascaded, late]), NEXT)).toEqual([{ kind: "all", ownImages: [] }]);
  });

  test("a primary alone is replaced in its place", () => {
    expect(rollingSteps(file([{ name: "node-1" }]), NEXT)).toEqual([{ kind: "all", ownImages: [] }]);
  });

  const updated = [{ name: "node-1" }, { name: "node-2", image: NEXT }, { name: "node-3", image: NEXT }];

  test("interrupted over the standbys, it finishes them first", () => {
    expect(rollingSteps(file(updated), NEXT).map(({ kind }) => kind)).toEqual([
      "as it is",
      "standbys",
      "switchover",
      "all",
    ]);
  });

  test("interrupted over the switchover, it does not switch over again", () => {
    expect(rollingSteps(file(updated, { primary: "node-2" }), NEXT)).toEqual([
      { kind: "as it is" },
      { kind: "all", ownImages: [1, 2] },
    ]);
  });

  test("done already, nobody changes roles", () => {
    expect(rollingSteps(file(THREE, { image: NEXT }), NEXT)).toEqual([{ kind: "all", ownImages: [] }]);
  });
});
