import { join } from "node:path";
import { execa } from "execa";
import { PROJECT_DIRECTORY } from "./project.ts";

/** `pulumi config ARGS` of a stack; whatever its exit code, that is a result. */
export function stackConfig(stack: string, ...args: readonly string[]) {
  return execa("pulumi", ["config", ...args, "--stack", stack, "--non-interactive"], {
    cwd: PROJECT_DIRECTORY,
    reject: false,
  });
}

/** Of `npm start`: the update came to its end, and what runs is not healthy all the same. */
export const UNHEALTHY_EXIT_CODE = 3;

export const isUpdated = (exitCode: number): boolean => exitCode === 0 || exitCode === UNHEALTHY_EXIT_CODE;

/** Brings a stack up as its file says it now, on this terminal. @returns the exit code. */
export async function startOnTerminal(stack: string): Promise<number> {
  const start = join(PROJECT_DIRECTORY, "commands", "start.ts");
  const { exitCode } = await execa("node", [start, "--stack", stack], {
    cwd: PROJECT_DIRECTORY,
    stdio: "inherit",
    reject: false,
  });
  return exitCode ?? 1;
}
