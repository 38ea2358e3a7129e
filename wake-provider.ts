import { setTimeout as sleep } from "node:timers/promises";
import { runtime } from "@pulumi/pulumi";

/** Enough for the call to leave the process, which loads modules from then on and does nothing else. */
const DEPARTURE_MILLISECONDS = 10;

/**
 * Runs the program, `index.ts`, once the engine has been made to start the provider: both are loaded side by side then.
 * A provider that does not start is the first resource's to tell of.
 * @returns the outputs of the stack.
 */
export default async function wakeProvider(): Promise<object> {
  void runtime.invoke("pgtopology:index:wake", {}).catch(() => undefined);
  await sleep(DEPARTURE_MILLISECONDS);
  return { ...(await import("./index.ts")) };
}
