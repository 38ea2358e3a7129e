import { expect, test } from "vitest";
import { graphOf } from "../../dashboard/graph.ts";
import type { NodeStatus, StackStatus } from "../../operations/status-schema.ts";
import { PRIMARY, STANDBY, STATUS } from "./status-support.ts";

const standby = (name: string, upstream: string | null, more: Partial<NodeStatus> = {}): NodeStatus => ({
  ...STANDBY,
  name,
  upstream,
  ...more,
});
const graph = (nodes: NodeStatus[], backup: StackStatus["backup"] = null) => graphOf({ ...STATUS, nodes, backup });
const looks = (nodes: NodeStatus[]): Record<string, string> =>
  Object.fromEntries(graph(nodes).boxes.map(({ name, look }) => [name, look]));

test("the primary is left, what streams from it beside it, and so on", () => {
  const { boxes, edges } = graph([PRIMARY, standby("node-2", "node-1"), standby("node-3", "node-2")]);
  const xs = boxes.map(({ x }) => x);
  expect(xs).toEqual(xs.toSorted((a, b) => a - b));
  expect(new Set(xs).size).toBe(3);
  expect(edges).toHaveLength(2);
});

test("no two boxes cover each other, whoever streams from whom", () => {
  const names = ["node-2", "node-3", "node-4", "node-5", "node-6"];
  const upstreams = ["node-1", "node-2", "node-2", "node-1", null];
  const nodes = [PRIMARY, ...names.map((name, index) => standby(name, upstreams[index] ?? null))];
  const { boxes, width, height } = graph(nodes, STATUS.backup);
  expect(boxes).toHaveLength(7);
  for (const [index, a] of boxes.entries()) {
    expect(a.x + a.width).toBeLessThanOrEqual(width);
    expect(a.y + a.height).toBeLessThanOrEqual(height);
    for (const b of boxes.slice(index + 1)) {
      expect(Math.abs(a.x - b.x) >= a.width || Math.abs(a.y - b.y) >= a.height).toBe(true);
    }
  }
});

test("two that claim to stream from each other are drawn all the same", () => {
  const { boxes, edges } = graph([standby("node-1", "node-2"), standby("node-2", "node-1")]);
  expect({ boxes: boxes.length, edges: edges.length }).toEqual({ boxes: 2, edges: 2 });
});

test("it shows who takes writes, who streams, who has trouble and who is silent", () => {
  const nodes = [
    PRIMARY,
    standby("node-2", "node-1"),
    standby("node-3", "node-1", { tls: false }),
    standby("node-4", null, { state: "not streaming", tls: null }),
    standby("node-5", null, { role: null, state: "exited" }),
  ];
  expect(looks(nodes)).toEqual({
    "node-1": "primary",
    "node-2": "ok",
    "node-3": "trouble",
    "node-4": "trouble",
    "node-5": "silent",
  });
});

test("where nobody takes writes all stand in the first column", () => {
  const { boxes } = graph([standby("node-1", null), standby("node-2", null)]);
  expect(new Set(boxes.map(({ x }) => x)).size).toBe(1);
});

test("the same is there in words", () => {
  expect(graph([PRIMARY, STANDBY], STATUS.backup).summary).toBe(
    "node-1, primary · running, timeline 2; node-2, standby · streaming, timeline 2 · lag 1.54 kB, from node-1; " +
      "pg-topology-dev-barman, backups · running, 2 can be restored, from node-1",
  );
});
