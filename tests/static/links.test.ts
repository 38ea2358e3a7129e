import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { PROJECT_DIRECTORY } from "../support/project.ts";

test("every link of the documentation leads to a file", async () => {
  const list = ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"];
  const { stdout } = await execa("git", list, { cwd: PROJECT_DIRECTORY });
  const links = stdout.split("\n").flatMap(linksOf);
  expect(links.length).toBeGreaterThan(0);
  expect(links.filter(({ target }) => !existsSync(join(PROJECT_DIRECTORY, target)))).toEqual([]);
});

function linksOf(page: string): { page: string; target: string }[] {
  const text = readFileSync(join(PROJECT_DIRECTORY, page), "utf8");
  const targets = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, target = ""]) => target);
  return targets.map((target) => ({ page, target: join(dirname(page), target) }));
}
