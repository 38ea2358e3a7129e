import { expect } from "vitest";
import type { TestStack } from "./stack.ts";

/** A failure is told in this time, however long what failed would have taken. */
const PATIENCE_MILLISECONDS = 30_000;

/** A line of a stack trace, as Node and Go write them. */
export const STACK_TRACE = /^\s+at .*:\d+:\d+\)?$|^goroutine \d+|node:internal/m;

/**
 * Runs a command that must fail: soon, with all of these texts in what it says, and without a stack trace.
 * @returns what it said.
 */
export async function expectFailure(
  stack: TestStack,
  args: readonly string[],
  texts: readonly string[],
): Promise<string> {
  const startedAt = performance.now();
  const { exitCode, output } = await stack.pulumi(args);
  expect(exitCode, output).not.toBe(0);
  for (const text of texts) expect(output).toContain(text);
  expect(output).not.toMatch(STACK_TRACE);
  expect(performance.now() - startedAt).toBeLessThan(PATIENCE_MILLISECONDS);
  return output;
}

export const expectFailingUp = (stack: TestStack, ...texts: string[]): Promise<string> =>
  expectFailure(stack, ["up", "--yes", "--skip-preview"], texts);

export const expectFailingPreview = (stack: TestStack, ...texts: string[]): Promise<string> =>
  expectFailure(stack, ["preview"], texts);
