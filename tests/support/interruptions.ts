import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { processesOf } from "./processes.ts";
import type { Process } from "./processes.ts";
import { seededRandom } from "./random.ts";
import type { CommandResult, TestStack } from "./stack.ts";

/** "alone": the CLI; "group": its process group; "tree": that and all plugins, which have groups of their own. */
export type Target = "alone" | "group" | "tree";

export interface Interruption {
  /** When, as a part of the time that the whole update takes. */
  readonly moment: number;
  readonly signal: "SIGINT" | "SIGKILL";
  readonly target: Target;
}

const WAYS: readonly Omit<Interruption, "moment">[] = [
  { signal: "SIGKILL", target: "alone" },
  { signal: "SIGINT", target: "group" },
  { signal: "SIGKILL", target: "group" },
  { signal: "SIGINT", target: "alone" },
  { signal: "SIGKILL", target: "tree" },
];

/** So many random moments of an update, and every way to interrupt it in turn. */
export function randomInterruptions(count: number, seed: number): Interruption[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, index) => {
    const way = WAYS[(index + seed) % WAYS.length];
    if (way === undefined) throw new Error("there is a way for every index");
    return { moment: Number(random().toFixed(3)), ...way };
  });
}

/**
 * Starts `pulumi up`, and interrupts it.
 * @returns what the CLI wrote, and whether it was interrupted before it ended by itself.
 */
export async function interruptedUp(
  stack: TestStack,
  { moment, signal, target }: Interruption,
  durationMilliseconds: number,
): Promise<CommandResult & { readonly interrupted: boolean }> {
  const up = stack.start(["up", "--yes", "--skip-preview"], { detached: true });
  const ended = up.then(() => true);
  const endedBefore = await Promise.race([ended, sleep(moment * durationMilliseconds, false)]);
  if (!endedBefore && up.pid !== undefined) await send(signal, target, up.pid, stack);
  const result = await up;
  return { exitCode: result.exitCode ?? -1, output: result.all, interrupted: !endedBefore };
}

async function send(signal: NodeJS.Signals, target: Target, pid: number, stack: TestStack): Promise<void> {
  switch (target) {
    case "alone":
      return sendTo((await processesOf(stack)).find(isCli)?.pid ?? pid, signal);
    case "group":
      return sendTo(-pid, signal);
    case "tree":
      return signalTree(stack, signal);
  }
}

/** The CLI of a stack, and everything that it started. */
export async function signalTree(stack: TestStack, signal: NodeJS.Signals): Promise<void> {
  for (const { pid } of await processesOf(stack)) sendTo(pid, signal);
}

/** What is called first may be a script of the npm package of that name, which runs it. */
const isCli = ({ commandLine }: Process): boolean => basename(commandLine[0] ?? "") === "pulumi";

/** It may have ended at this very moment. */
function sendTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
