import { derivedImage, removeImages } from "../tests/support/images.ts";
import { Ledger } from "../tests/support/ledger.ts";
import type { StackOutputs } from "../tests/support/outputs.ts";
import { freePorts } from "../tests/support/ports.ts";
import { disturbed, replaced, startsOf } from "../tests/support/restarts.ts";
import { withStack } from "../tests/support/stack.ts";
import type { StackConfig, TestStack } from "../tests/support/stack.ts";
import { LEDGER_PAUSE_MILLISECONDS, seconds } from "./statistics.ts";

/** One change of a running topology, as a client that writes all the time sees it. */
export interface ChangeRound {
  readonly upSeconds: number;
  readonly writeGapSeconds: number;
  readonly restarts: number;
  readonly replacedContainers: number;
  readonly lostRows: number;
}

/** Rounds by kind of change. */
export type ChangeRounds = ReadonlyMap<string, readonly ChangeRound[]>;

const NODES = ["node-1", "node-2", "node-3"];
/** The tag of an image begins with its major version. */
const otherImage = (image: string): string => `pg-topology-bench/${image}-other`;

/** Each kind there and back again, in turn. */
const kindsOf = (image: string, nodes: readonly object[]): readonly [string, StackConfig, StackConfig][] => [
  ["parameter, reload", { parameters: { work_mem: "8MB" } }, {}],
  ["access rule", { accessRules: [{ database: "app", user: "analyst", address: "samenet" }] }, {}],
  ["parameter, restart", { parameters: { max_connections: 150 } }, { parameters: { max_connections: 120 } }],
  ["passwords", { passwords: { replication: { version: 2 } } }, {}],
  ["a standby less, a standby more", { nodes: nodes.slice(0, -1) }, {}],
  ["image", { image: otherImage(image) }, { image }],
];

/** Three nodes; of each kind so many changes. */
export async function changeRounds(count: number, image: string): Promise<ChangeRounds> {
  const ports = await freePorts(NODES.length);
  const nodes = NODES.map((name, index) => ({ name, port: ports[index] }));
  const base: StackConfig = { image, primary: "node-1", nodes };
  const results = new Map<string, ChangeRound[]>();
  await derivedImage(otherImage(image), image, "ENV BENCH=1");
  await withStack(base, async (stack) => {
    await stack.up();
    const ledger = await Ledger.start((await stack.outputs<StackOutputs>()).readWriteUri, LEDGER_PAUSE_MILLISECONDS);
    for (const [kind, there, back] of kindsOf(image, nodes)) {
      const rounds: ChangeRound[] = [];
      for (let round = 0; round < count; round += 1) {
        console.log(`${kind}, ${round + 1} of ${count}`);
        await stack.configure({ ...base, ...(round % 2 === 0 ? there : back) });
        rounds.push(await changeRound(stack, ledger));
      }
      results.set(kind, rounds);
      await stack.configure(base);
      await stack.up();
    }
    await ledger.stop();
  });
  await removeImages(otherImage(image));
  return results;
}

async function changeRound(stack: TestStack, ledger: Ledger): Promise<ChangeRound> {
  const before = await startsOf(stack, NODES);
  await ledger.untilWritten();
  ledger.lap();
  const upSeconds = await seconds(() => stack.up());
  await ledger.untilWritten();
  const { longestGapMilliseconds } = ledger.lap();
  const after = await startsOf(stack, NODES);
  return {
    upSeconds,
    writeGapSeconds: longestGapMilliseconds / 1000,
    restarts: disturbed(before, after).length,
    replacedContainers: replaced(before, after).length,
    lostRows: (await ledger.lost()).length,
  };
}
