import { expect, test } from "vitest";
import type { ImpactRecord } from "../../operations/impact-file.ts";
import { impactMarkdown } from "../../operations/impact-markdown.ts";

const restart: ImpactRecord = {
  resource: "topology",
  source: "change",
  level: "restart",
  nodes: ["node-2", "node-1"],
  message: "rolling restart: node-2, node-1 (max_connections)\nwrite gap about 1 s",
};

test("a row tells what would be done, and to which nodes", () => {
  expect(impactMarkdown({ impact: "restart", findings: [restart] })).toBe(`### Impact of this update: restart

| impact | nodes | what | found by |
| --- | --- | --- | --- |
| restart | node-2, node-1 | rolling restart: node-2, node-1 (max&#95;connections)<br>write gap about 1 s | change |
`);
});

test("without a finding no server is touched", () => {
  expect(impactMarkdown({ impact: "none", findings: [] })).toContain("Nothing is done to any server.");
});

test("what a server says is text: no markup, no link, nobody is notified", () => {
  const message = "a | b <img src=x> [x](y) @all `code` #1 \\| *";
  const [, , , , row = ""] = impactMarkdown({ impact: "none", findings: [{ ...restart, message }] }).split("\n");
  const [, , cell = ""] = row.split(" | ");
  expect(cell).not.toMatch(/[<>`[\]|*@\\]|(?<!&)#/);
  expect(row.match(/\|/g)).toHaveLength(5);
});
