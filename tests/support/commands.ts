import { execa } from "execa";
import { PROJECT_DIRECTORY } from "./project.ts";
import type { CommandResult, TestStack } from "./stack.ts";

/** A command as a person runs it: `npm run NAME -- --stack STACK ARGS`. A failure is a result like any other. */
export async function runCommand(
  stack: TestStack,
  name: "backup" | "restore" | "destroy",
  ...args: string[]
): Promise<CommandResult> {
  const command = [`commands/${name}.ts`, "--stack", stack.name, ...args];
  const options = { cwd: PROJECT_DIRECTORY, env: stack.environment, all: true, reject: false } as const;
  const { exitCode = -1, all } = await execa("node", command, options);
  return { exitCode, output: all };
}
