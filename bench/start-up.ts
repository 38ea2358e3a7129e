import { join } from "node:path";
import { execa } from "execa";
import { freePorts } from "../tests/support/ports.ts";
import { withStack } from "../tests/support/stack.ts";
import type { TestStack } from "../tests/support/stack.ts";
import { seconds } from "./statistics.ts";

/** One round of everything that is compared, in seconds. */
export interface StartUpRound {
  readonly byHandUp: number;
  readonly byHandDown: number;
  readonly upSkipPreview: number;
  readonly upWithPreview: number;
  readonly noOpUp: number;
  readonly noOpUpSkipPreview: number;
  readonly preview: number;
  readonly destroy: number;
}

const BY_HAND = join(import.meta.dirname, "by-hand.sh");

/** By number of standbys. */
export async function startUpRounds(
  standbyCounts: readonly number[],
  rounds: number,
  image: string,
): Promise<Map<number, StartUpRound[]>> {
  const results = new Map<number, StartUpRound[]>();
  for (const standbys of standbyCounts) {
    const found: StartUpRound[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      console.log(`${standbys} standbys, round ${round} of ${rounds}`);
      found.push(await startUpRound(standbys, image));
    }
    results.set(standbys, found);
  }
  return results;
}

/** The same topology by plain docker commands and by `pulumi up`, one after the other, so that noise meets both. */
async function startUpRound(standbys: number, image: string): Promise<StartUpRound> {
  const byHand = (action: string): Promise<number> =>
    seconds(() => execa(BY_HAND, [action, "bench-by-hand", String(standbys), image]));
  const byHandUp = await byHand("up");
  const byHandDown = await byHand("down");
  const config = await configuration(standbys, image);
  let pulumi: Omit<StartUpRound, "byHandUp" | "byHandDown" | "upWithPreview"> | undefined;
  await withStack(config, async (stack) => {
    pulumi = await pulumiRound(stack);
  });
  let upWithPreview = Number.NaN;
  await withStack(config, async (stack) => {
    upWithPreview = await seconds(() => stack.succeed(["up", "--yes"]));
    await stack.succeed(["destroy", "--yes", "--skip-preview"]);
  });
  if (pulumi === undefined) throw new Error("the round did not run");
  return { byHandUp, byHandDown, upWithPreview, ...pulumi };
}

async function pulumiRound(stack: TestStack): Promise<Omit<StartUpRound, "byHandUp" | "byHandDown" | "upWithPreview">> {
  return {
    upSkipPreview: await seconds(() => stack.up()),
    noOpUp: await seconds(() => stack.succeed(["up", "--yes"])),
    noOpUpSkipPreview: await seconds(() => stack.up()),
    preview: await seconds(() => stack.succeed(["preview"])),
    destroy: await seconds(() => stack.succeed(["destroy", "--yes", "--skip-preview"])),
  };
}

async function configuration(standbys: number, image: string): Promise<Record<string, unknown>> {
  const ports = await freePorts(standbys + 1);
  return {
    image,
    primary: "node-1",
    nodes: ports.map((port, index) => ({ name: `node-${index + 1}`, port })),
  };
}
