import { existsSync, readFileSync, readdirSync } from "node:fs";
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

test("decisions have a number each, which is in their title too", () => {
  const directory = join(PROJECT_DIRECTORY, "docs", "decisions");
  const files = readdirSync(directory).toSorted();
  const numbers = files.map((file) => file.slice(0, 3));
  expect(new Set(numbers).size).toBe(numbers.length);
  const titles = files.map((file) => readFileSync(join(directory, file), "utf8").slice(0, 6));
  expect(titles).toEqual(numbers.map((number) => `# ${number} `));
});

function linksOf(page: string): { page: string; target: string }[] {
  const text = readFileSync(join(PROJECT_DIRECTORY, page), "utf8");
  const targets = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, target = ""]) => target);
  return targets.map((target) => ({ page, target: join(dirname(page), target) }));
}
