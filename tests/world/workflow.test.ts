import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { Clone } from "../support/clone.ts";
import { PROJECT_DIRECTORY } from "../support/project.ts";
import { psqlIn } from "../support/servers.ts";

interface Workflow {
  readonly jobs: Readonly<Record<string, { readonly steps: readonly { readonly run?: string }[] }>>;
}

const { jobs } = parse(readFileSync(join(PROJECT_DIRECTORY, ".github/workflows/pulumi.yml"), "utf8")) as Workflow;

let clone: Clone;
beforeAll(async () => {
  clone = await Clone.create();
});
afterAll(() => clone.dispose());

/** What the runner does in a job, step by step, in one environment. */
async function runJob(name: string): Promise<{ exitCode: number; output: string; summary: string; outputs: string }> {
  const files = { GITHUB_STEP_SUMMARY: clone.path(`${name}.summary`), GITHUB_OUTPUT: clone.path(`${name}.outputs`) };
  const steps = (jobs[name]?.steps ?? []).flatMap(({ run }) => run ?? []);
  expect(steps).not.toEqual([]);
  const { exitCode, output } = await clone.shell(
    `set -e\ntouch ${Object.values(files).join(" ")}\n${steps.join("\n")}`,
    files,
  );
  const read = (file: string): string => readFileSync(file, "utf8");
  return { exitCode, output, summary: read(files.GITHUB_STEP_SUMMARY), outputs: read(files.GITHUB_OUTPUT) };
}

// The stack is that of staging: its first update makes it, and later ones are previewed.
test("the merge brings staging up, with a standby that commits wait for", async () => {
  const { exitCode, output } = await runJob("update");
  expect({ exitCode, output }).toMatchObject({ exitCode: 0 });
  expect(output).toContain("staging is healthy.");
  const waitedFor = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
  expect(await psqlIn(clone.container("staging", "node-1"), waitedFor)).toBe("1");
});

test("a pull request is told what its update would do", async () => {
  const file = clone.path("Pulumi.staging.yaml");
  const merged = readFileSync(file, "utf8");
  onTestFinished(() => writeFileSync(file, merged));
  writeFileSync(file, merged.replace("config:\n", `config:\n  ${clone.project}:parameters: { work_mem: 8MB }\n`));
  const { exitCode, output, summary, outputs } = await runJob("preview");
  expect({ exitCode, output }).toMatchObject({ exitCode: 0 });
  expect(summary).toMatch(/^### Impact of this update: reload$/m);
  expect(summary).toMatch(/^\| reload \| node-1, .*work&#95;mem.* \| change \|$/m);
  expect(outputs).toBe(`markdown<<END_OF_IMPACT\n${summary}END_OF_IMPACT\n`);
});

test("at night nothing has drifted, or the job fails", async () => {
  expect(await runJob("drift")).toMatchObject({ exitCode: 0 });

  const primary = clone.container("staging", "node-1");
  const alter = (sql: string): Promise<string> => psqlIn(primary, `ALTER SYSTEM ${sql}`);
  await alter("SET work_mem = '5MB'");
  onTestFinished(() => alter("RESET work_mem").then(() => undefined));
  const { exitCode, output } = await runJob("drift");
  expect(exitCode).not.toBe(0);
  expect(output).toContain("work_mem");
});
