import { rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { expect } from "vitest";
import { expectNoProcesses } from "./convergence.ts";
import { interruptedUp } from "./interruptions.ts";
import type { Interruption } from "./interruptions.ts";
import { PROJECT_DIRECTORY } from "./project.ts";
import type { CommandResult, TestStack } from "./stack.ts";

/** What `npm run recover -- ARGS` runs. */
export async function recover(stack: TestStack, ...args: string[]): Promise<CommandResult> {
  const { exitCode = -1, all } = await execa("node", ["commands/recover.ts", ...args, "--stack", stack.name], {
    cwd: PROJECT_DIRECTORY,
    env: stack.environment,
    all: true,
    reject: false,
  });
  return { exitCode, output: all };
}

/** The backend is gone with all that it knew; an empty one takes its place. */
export async function loseState(stack: TestStack): Promise<void> {
  await rm(join(stack.directory, ".pulumi"), { recursive: true });
  await execa("pulumi", ["stack", "init", stack.name], { cwd: PROJECT_DIRECTORY, env: stack.environment });
  // The stack file in use is beside the backend.
  await rm(join(PROJECT_DIRECTORY, `Pulumi.${stack.name}.yaml`));
}

/** A CLI that is killed leaves its lock in a file backend: `npm start` and `npm run recover` remove it. */
export async function interruptAndRecover(
  stack: TestStack,
  how: Interruption,
  durationMilliseconds: number,
): Promise<void> {
  await interruptedUp(stack, how, durationMilliseconds);
  if (how.signal === "SIGKILL") {
    const { exitCode, output } = await recover(stack);
    expect(exitCode, output).toBe(0);
  }
  await expectNoProcesses(stack);
}
