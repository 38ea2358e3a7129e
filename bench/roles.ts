import { setTimeout as sleep } from "node:timers/promises";
import { Ledger } from "../tests/support/ledger.ts";
import { docker } from "../tests/support/containers.ts";
import { mostAdvanced } from "../tests/support/most-advanced.ts";
import { ownerLogin } from "../tests/support/outputs.ts";
import type { StackOutputs } from "../tests/support/outputs.ts";
import { freePorts } from "../tests/support/ports.ts";
import { psqlIn } from "../tests/support/servers.ts";
import { withStack } from "../tests/support/stack.ts";
import type { StackConfig, TestStack } from "../tests/support/stack.ts";
import { WritableWatch } from "../tests/support/writable-watch.ts";
import { StandbyWatch } from "./standby-watch.ts";
import { LEDGER_PAUSE_MILLISECONDS, seconds, timed } from "./statistics.ts";

/** One change of the primary, as a client that writes all the time sees it. */
export interface RoleChange {
  /** The longest time between two confirmed writes. */
  readonly writeGapSeconds: number;
  /** From the start of `up --skip-preview` to the first confirmed write: with a dead primary, until there is another. */
  readonly writableAfterSeconds: number;
  /** The whole update: the old primary streams again, and all is verified. */
  readonly upSeconds: number;
  /** From that first confirmed write until the old primary, as a standby, shows its row. */
  readonly rejoinSeconds: number;
  /** How the old primary came to follow, and why so, in the update's own words. */
  readonly rejoinedBy: string;
  readonly rejoinReason: string;
  /** Acknowledged rows that went with this change. */
  readonly lostRows: number;
  /** What the stack's outputs say of it. */
  readonly announcedLostBytes: number;
}

export interface RoleChanges {
  readonly title: string;
  readonly changes: readonly RoleChange[];
  /** How often all nodes were asked whether they take writes, and how often more than one said so. */
  readonly watched: { readonly moments: number; readonly withTwoWritableNodes: number };
}

const NODES = ["node-1", "node-2", "node-3"];

const SYNCHRONOUS = { synchronous: { mode: "quorum", count: 1 } };
/** More than a dead primary ever keeps for itself here. */
export const ANY_LOSS = { failover: { lostBytes: 100_000_000 } };

/** After an update that has verified the old primary as a standby: enough for it to be seen as one. */
const STANDBY_SHOWS_MILLISECONDS = 500;

interface Bench {
  readonly stack: TestStack;
  readonly ledger: Ledger;
  readonly configure: (primary: string) => Promise<void>;
  /** Rows that were lost in earlier rounds. */
  readonly lostBefore: Set<number>;
}

/** Roles change among three nodes, with nobody dead. */
export const switchovers = (count: number, image: string): Promise<RoleChanges> =>
  changesOf("switchover", {}, image, count, async () => undefined);

/** The primary is killed, and a standby takes its place: no row that was acknowledged may be lost. */
export const synchronousFailovers = (count: number, image: string): Promise<RoleChanges> =>
  changesOf("failover, synchronous (quorum)", { replication: SYNCHRONOUS }, image, count, kill);

/** The same where a commit waits for no standby: what is lost is what was announced. */
export const asynchronousFailovers = (count: number, image: string): Promise<RoleChanges> =>
  changesOf("failover, asynchronous", { acknowledge: ANY_LOSS }, image, count, kill);

const kill = async (stack: TestStack, primary: string): Promise<void> => {
  await docker("kill", stack.container(primary));
};

async function changesOf(
  title: string,
  more: StackConfig,
  image: string,
  count: number,
  before: (stack: TestStack, primary: string) => Promise<void>,
): Promise<RoleChanges> {
  const ports = await freePorts(NODES.length);
  const nodes = NODES.map((name, index) => ({ name, port: ports[index] }));
  const changes: RoleChange[] = [];
  let watched = { moments: 0, withTwoWritableNodes: 0 };
  await withStack({ image, primary: "node-1", nodes, ...more }, async (stack) => {
    await stack.up();
    const outputs = await stack.outputs<StackOutputs>();
    const ledger = await Ledger.start(outputs.readWriteUri, LEDGER_PAUSE_MILLISECONDS);
    const watch = WritableWatch.start(NODES.map((node) => ownerLogin(outputs, node)));
    const configure = (primary: string): Promise<void> => stack.configure({ image, primary, nodes, ...more });
    const lostBefore = new Set<number>();
    for (let round = 1; round <= count; round += 1) {
      const done = await change({ stack, ledger, configure, lostBefore }, before);
      // A long run that breaks off has shown something up to there.
      console.log(`${title}, ${round} of ${count}: ${JSON.stringify(done)}`);
      changes.push(done);
    }
    await ledger.stop();
    watched = await watch.stop();
  });
  return { title, changes, watched };
}

async function change(
  { stack, ledger, configure, lostBefore }: Bench,
  before: (stack: TestStack, primary: string) => Promise<void>,
): Promise<RoleChange> {
  const outputs = await stack.outputs<StackOutputs>();
  await ledger.untilWritten();
  ledger.lap();
  await before(stack, outputs.primary);
  const standbys = NODES.filter((node) => node !== outputs.primary);
  await configure(await mostAdvanced(standbys, (node, sql) => psqlIn(stack.container(node), sql)));
  const oldPrimary = StandbyWatch.start(ownerLogin(outputs, outputs.primary));
  const [writableAfterSeconds, update] = await Promise.all([
    seconds(() => ledger.untilWritten(120_000)),
    timed(() => stack.up()),
  ]);
  await ledger.untilWritten();
  const { longestGapMilliseconds, afterLongestGap } = ledger.lap();
  await sleep(STANDBY_SHOWS_MILLISECONDS);
  await oldPrimary.stop();
  const { lastSwitchover } = await stack.outputs<StackOutputs>();
  return {
    writeGapSeconds: longestGapMilliseconds / 1000,
    writableAfterSeconds,
    upSeconds: update.seconds,
    rejoinSeconds: (oldPrimary.shownAt(afterLongestGap.id) - afterLongestGap.at) / 1000,
    ...rejoinOf(outputs.primary, update.result),
    lostRows: newlyLost(lostBefore, await ledger.lost()),
    announcedLostBytes: lastSwitchover?.lostBytes ?? 0,
  };
}

/** A switchover has one way only, and does not speak of it. */
function rejoinOf(node: string, output: string): Pick<RoleChange, "rejoinedBy" | "rejoinReason"> {
  const [, by = "streaming", reason = ""] = new RegExp(`${node} follows the primary by (.+?): (.*)`).exec(output) ?? [];
  return { rejoinedBy: by, rejoinReason: reason };
}

function newlyLost(lostBefore: Set<number>, lost: readonly number[]): number {
  const lostNow = lost.filter((id) => !lostBefore.has(id));
  for (const id of lostNow) lostBefore.add(id);
  return lostNow.length;
}
