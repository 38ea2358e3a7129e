import { execa } from "execa";
import { PROJECT_DIRECTORY } from "./project.ts";

/**
 * Runs `pulumi ARGS` on this terminal. Of Ctrl-C the CLI is told by the terminal itself, and ends in its own time.
 * @returns its exit code.
 */
export async function pulumiOnTerminal(args: readonly string[]): Promise<number> {
  const child = execa("pulumi", args, { cwd: PROJECT_DIRECTORY, stdio: "inherit", reject: false });
  process.on("SIGINT", () => undefined);
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  const { exitCode } = await child;
  return exitCode ?? 1;
}
