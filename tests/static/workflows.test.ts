import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { PROJECT_DIRECTORY } from "../support/project.ts";

interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly concurrency: { readonly group: string };
  readonly jobs: Readonly<Record<string, Job>>;
}

interface Job {
  readonly "timeout-minutes"?: number;
  readonly steps: readonly { readonly uses?: string; readonly run?: string }[];
}

const FOLDER = join(PROJECT_DIRECTORY, ".github", "workflows");
const { scripts } = JSON.parse(readFileSync(join(PROJECT_DIRECTORY, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};

describe.each(readdirSync(FOLDER))("%s", (file) => {
  const workflow = parse(readFileSync(join(FOLDER, file), "utf8")) as Workflow;
  const jobs = Object.values(workflow.jobs);
  const steps = jobs.flatMap((job) => job.steps);

  test("uses actions by their commit: a tag can be moved", () => {
    const actions = steps.flatMap(({ uses }) => uses ?? []);
    expect(actions.length).toBeGreaterThan(0);
    for (const action of actions) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
  });

  test("may read the repository and nothing else", () => {
    expect(workflow.permissions).toEqual({ contents: "read" });
  });

  test("runs once at a time for each branch, and no job for ever", () => {
    expect(workflow.concurrency.group).toContain("github.ref");
    for (const job of jobs) expect(job["timeout-minutes"]).toBeGreaterThan(0);
  });

  test("runs commands that the project has", () => {
    for (const command of steps.flatMap(({ run }) => run ?? [])) {
      const script = /^npm (?:run )?([\w:]+)/.exec(command)?.[1];
      if (script === undefined) expect(["toolchain/setup", ".ci/run"]).toContain(command);
      else expect(Object.keys(scripts)).toContain(script);
    }
  });
});
