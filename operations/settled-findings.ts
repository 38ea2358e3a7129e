import { setTimeout as sleep } from "node:timers/promises";
import { findings, passesByItself } from "./findings.ts";
import type { Finding } from "./findings.ts";
import { observeNodes } from "./observe.ts";
import type { TopologyShape } from "./topology.ts";

const PATIENCE_MILLISECONDS = 10_000;
const INTERVAL_MILLISECONDS = 100;

/**
 * What is not as the topology shall be, and does not pass by itself. Right after a restart a server recovers and its
 * standbys connect again: that is looked at for some seconds more before it counts.
 */
export async function settledFindings(shape: TopologyShape, signal: AbortSignal): Promise<readonly Finding[]> {
  const deadline = performance.now() + PATIENCE_MILLISECONDS;
  for (;;) {
    signal.throwIfAborted();
    const found = findings(shape, await observeNodes(shape.nodes, shape.operator));
    const settled = found.length === 0 || !found.every(passesByItself);
    if (settled || performance.now() > deadline) return found;
    await sleep(INTERVAL_MILLISECONDS);
  }
}
