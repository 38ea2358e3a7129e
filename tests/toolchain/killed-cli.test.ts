/** With the real CLI: after a SIGKILL in the middle of an update, the next command through toolchain/run works. */
import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ScratchProject, setUp } from "./support/scratch-project.ts";

let project: ScratchProject;

beforeEach(async () => {
  await setUp();
  project = await ScratchProject.make();
});

afterEach(() => project.remove());

function locks(): string[] {
  return globSync(project.path(".pulumi-local/state/.pulumi/locks/**/*.json"));
}

async function descendantsOf(pid: number): Promise<number[]> {
  const files = globSync(`/proc/${pid}/task/*/children`);
  const lists = await Promise.all(files.map((file) => readFile(file, "utf8")));
  const children = lists
    .flatMap((list) => list.trim().split(" "))
    .filter((child) => child !== "")
    .map(Number);
  return [...children, ...(await Promise.all(children.map(descendantsOf))).flat()];
}

test("a killed update's lock does not stand in the way", async () => {
  await project.program("await new Promise((resolve) => setTimeout(resolve, 600_000));");
  const update = project.up();
  const ended = update.catch(() => undefined);
  await expect.poll(locks, { timeout: 30_000 }).toHaveLength(1);
  const started = await descendantsOf(update.pid ?? 0);
  update.kill("SIGKILL");
  await ended;
  // Language host and program outlive the CLI; on a terminal they would have been ended with it.
  await execa("kill", ["-KILL", ...started.map(String)], { reject: false });

  await project.program("export const answer: number = 42;");
  const { stderr } = await project.up();

  expect(stderr).toMatch(/^toolchain\/run: removed a lock that a killed Pulumi left behind/);
  expect(await project.outputs()).toEqual({ answer: 42 });
});
