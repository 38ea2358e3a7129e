import { freePorts } from "../tests/support/ports.ts";
import { withStack } from "../tests/support/stack.ts";
import { statusOf } from "../tests/support/status.ts";
import { timed } from "./statistics.ts";

const NODES = 5;

/** Seconds of the whole `npm run status`, on a healthy stack of five nodes: npm itself is not in them. */
export async function statusRounds(rounds: number, image: string): Promise<number[]> {
  const ports = await freePorts(NODES);
  const nodes = ports.map((port, index) => ({ name: `node-${index + 1}`, port }));
  const results: number[] = [];
  await withStack({ image, primary: "node-1", nodes }, async (stack) => {
    await stack.up();
    for (let round = 0; round < rounds; round += 1) {
      const { result, seconds } = await timed(() => statusOf(stack));
      if (result.condition !== "healthy") throw new Error(`the stack is ${result.condition}`);
      results.push(seconds);
    }
  });
  return results;
}
