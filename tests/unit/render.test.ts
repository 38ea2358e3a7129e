import fc from "fast-check";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { quoteForConf, quoteForHba, quoteForShell, render } from "../../config-templates/render.ts";

describe("a template", () => {
  test("refuses to be rendered without one of its values, instead of leaving a hole", () => {
    const parameter = { name: "port", reason: "why" };
    expect(() => render("record-archive-need.sh", { archive: "/archive" })).toThrow("node");
    expect(() => render("record-archive-need.sh", { node: "node-1" })).toThrow("not given");
    expect(() => render("replication.conf", { node: "node-1" })).toThrow("not given");
    expect(() => render("replication.conf", { node: "node-1", parameters: [parameter] })).toThrow("not given");
  });

  test("gives the same bytes for the same values", () => {
    const values = { archive: "/archive", node: "node-1" };
    expect(render("record-archive-need.sh", values)).toBe(render("record-archive-need.sh", values));
  });
});

describe("a value of postgresql.conf", () => {
  test.each([
    ["128MB", "'128MB'"],
    ["it's", "'it''s'"],
    ["back\\slash", "'back\\\\slash'"],
    ["", "''"],
  ])("%j is written %s", (value, expected) => {
    expect(quoteForConf(value)).toBe(expected);
  });
});

describe("a field of pg_hba.conf", () => {
  test.each([
    ["app", '"app"'],
    ['odd"name', '"odd""name"'],
    ["10.1.0.0/16", '"10.1.0.0/16"'],
    ["all", "all"],
    ["samenet", "samenet"],
    ["replication", "replication"],
    ["", ""],
  ])("%j is written %s", (value, expected) => {
    expect(quoteForHba(value)).toBe(expected);
  });
});

test("whatever is quoted for a shell reaches the command as it was", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: "binary" }).filter((text) => !text.includes("\0"))), async (words) => {
      const { stdout } = await execa("sh", ["-c", `printf '%s\\0' ${words.map(quoteForShell).join(" ")}`]);
      expect(stdout).toBe(words.length === 0 ? "\0" : words.map((word) => `${word}\0`).join(""));
    }),
    { numRuns: 50 },
  );
});
