import { execa } from "execa";
import { PROJECT_DIRECTORY } from "./project.ts";
import type { CommandResult, TestStack } from "./stack.ts";

/** A command as a person runs it for a stack: `npm run NAME -- ARGS`. */
export async function runCommand(stack: TestStack, name: string, ...args: string[]): Promise<CommandResult> {
  const { exitCode = -1, all } = await startCommand(stack, name, args);
  return { exitCode, output: all };
}

/** The same as a running process, which leads a group of its own. */
export const startCommand = (
  stack: TestStack,
  name: string,
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
) =>
  execa("node", [`commands/${name}.ts`, "--stack", stack.name, ...args], {
    cwd: PROJECT_DIRECTORY,
    env: { ...stack.environment, ...more },
    all: true,
    reject: false,
    detached: true,
  });
