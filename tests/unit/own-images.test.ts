import { expect, test } from "vitest";
import { nodesWithOwnImage } from "../../commands/own-images.ts";

const NEXT = "postgres:17.6";

test.each<[string, unknown, readonly string[]]>([
  ["has none", [{ name: "node-1", port: 5432 }, { name: "node-2" }], []],
  ["has another one", [{ name: "node-1" }, { name: "node-2", image: "postgres:17.5" }], ["node-2"]],
  ["has the one that the stack gets", [{ name: "node-1" }, { name: "node-2", image: NEXT }], []],
  ["is not readable", { "node-1": {} }, []],
])("a node that %s", (_title, nodes, behind) => {
  expect(nodesWithOwnImage(JSON.stringify(nodes), NEXT)).toEqual(behind);
});

test("a stack file without nodes", () => {
  expect(nodesWithOwnImage("", NEXT)).toEqual([]);
});
