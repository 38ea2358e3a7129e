import { readFile, readdir } from "node:fs/promises";
import type { TestStack } from "./stack.ts";

export interface Process {
  readonly pid: number;
  readonly commandLine: readonly string[];
  readonly environment: readonly string[];
}

/** Everything that the CLI started for a stack, directly or not: it inherits the address of the stack's own backend. */
export async function processesOf(stack: TestStack): Promise<Process[]> {
  const mark = `PULUMI_BACKEND_URL=${stack.environment["PULUMI_BACKEND_URL"] ?? ""}`;
  return (await allProcesses()).filter(({ environment }) => environment.includes(mark));
}

/** All processes of this machine, those in containers too. */
export async function allProcesses(): Promise<Process[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const processes = await Promise.all(pids.map(readProcess));
  return processes.filter((process) => process !== undefined);
}

/** undefined: it has ended meanwhile. */
async function readProcess(pid: string): Promise<Process | undefined> {
  try {
    const [commandLine, environment] = await Promise.all([
      readFile(`/proc/${pid}/cmdline`, "utf8"),
      readFile(`/proc/${pid}/environ`, "utf8"),
    ]);
    return { pid: Number(pid), commandLine: texts(commandLine), environment: texts(environment) };
  } catch {
    return undefined;
  }
}

const texts = (zeroTerminated: string): string[] => zeroTerminated.split("\0").filter((text) => text !== "");

export const describeProcess = ({ pid, commandLine }: Process): string => `${pid} ${commandLine.join(" ")}`;
