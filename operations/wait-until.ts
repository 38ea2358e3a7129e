import { setTimeout as sleep } from "node:timers/promises";
import { OperationError } from "./errors.ts";

export interface Wait<T> {
  /** What is waited for, as it completes "waited for ...". */
  readonly condition: string;
  readonly timeoutSeconds: number;
  /** undefined: not yet. What it throws ends the wait. */
  readonly probe: () => Promise<T | undefined>;
  /** What to say of the state at the deadline. */
  readonly seen: () => Promise<string> | string;
  readonly signal?: AbortSignal | undefined;
  readonly intervalMilliseconds?: number;
}

/**
 * Asks until there is an answer.
 * @throws OperationError at the deadline, naming the condition and what was seen instead.
 */
export async function waitUntil<T>(wait: Wait<T>): Promise<T> {
  const deadline = performance.now() + wait.timeoutSeconds * 1000;
  for (;;) {
    wait.signal?.throwIfAborted();
    const result = await wait.probe();
    if (result !== undefined) return result;
    if (performance.now() > deadline) {
      throw new OperationError(
        `waited ${wait.timeoutSeconds} s for ${wait.condition}, in vain. Seen: ${await wait.seen()}`,
      );
    }
    await sleep(wait.intervalMilliseconds ?? 20);
  }
}
