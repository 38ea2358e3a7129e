import { expect, test } from "vitest";
import { retiredSlots } from "../../operations/topology.ts";
import type { TopologyOutline } from "../../operations/topology.ts";
import { shaped } from "./topology-support.ts";

const outline = (names: readonly string[], part: Partial<TopologyOutline> = {}): TopologyOutline => ({
  nodes: names.map((name, index) => shaped(name, index === 0 ? null : (names[0] ?? null))),
  otherSlots: [],
  ...part,
});

test("nothing is known of slots before the first update", () => {
  expect(retiredSlots(outline(["node-1", "node-2"]), undefined)).toEqual([]);
});

test("the slots of nodes that leave, and of a backup server that does, are retired", () => {
  const before = outline(["node-1", "node-2", "node-3"], { otherSlots: ["barman"] });
  expect(retiredSlots(outline(["node-2"]), before)).toEqual(["barman", "node_1", "node_3"]);
});

test("they stay retired until somebody of that name joins", () => {
  const before = outline(["node-1"], { retiredSlots: ["node_2", "node_3"] });
  expect(retiredSlots(outline(["node-1"]), before)).toEqual(["node_2", "node_3"]);
  expect(retiredSlots(outline(["node-1", "node-3"]), before)).toEqual(["node_2"]);
});
