import { setTimeout as sleep } from "node:timers/promises";
import { derivedImage, removeImages } from "../tests/support/images.ts";
import { Ledger } from "../tests/support/ledger.ts";
import { ownerLogin } from "../tests/support/outputs.ts";
import type { StackOutputs } from "../tests/support/outputs.ts";
import { freePorts } from "../tests/support/ports.ts";
import { disturbed, replaced, startsOf } from "../tests/support/restarts.ts";
import { rowsOf, withClient } from "../tests/support/servers.ts";
import type { Login } from "../tests/support/servers.ts";
import { withStack } from "../tests/support/stack.ts";
import type { StackConfig, TestStack } from "../tests/support/stack.ts";
import { seconds } from "./statistics.ts";

/** One change of a running topology, as a client that writes all the time sees it. */
export interface ChangeRound {
  readonly upSeconds: number;
  /** Until every server has read its files again; null: more than a reload is needed. */
  readonly effectSeconds: number | null;
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

/** There and back again, in turn. */
interface Kind {
  readonly kind: string;
  readonly there: StackConfig;
  readonly back: StackConfig;
  readonly isReload?: true;
}

const ANALYST = { database: "app", user: "analyst", address: "samenet" };

const kindsOf = (image: string, nodes: readonly object[]): readonly Kind[] => [
  { kind: "parameter, reload", there: { parameters: { work_mem: "8MB" } }, back: {}, isReload: true },
  { kind: "access rule", there: { accessRules: [ANALYST] }, back: {}, isReload: true },
  {
    kind: "parameter, restart",
    there: { parameters: { max_connections: 150 } },
    back: { parameters: { max_connections: 120 } },
  },
  { kind: "passwords", there: { passwords: { replication: { version: 2 } } }, back: {} },
  { kind: "a standby less, a standby more", there: { nodes: nodes.slice(0, -1) }, back: {} },
  { kind: "image", there: { image: otherImage(image) }, back: { image } },
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
    const outputs = await stack.outputs<StackOutputs>();
    const ledger = await Ledger.start(outputs.readWriteUri);
    const logins = NODES.map((name) => ownerLogin(outputs, name));
    for (const { kind, there, back, isReload } of kindsOf(image, nodes)) {
      const rounds: ChangeRound[] = [];
      for (let round = 0; round < count; round += 1) {
        console.log(`${kind}, ${round + 1} of ${count}`);
        await stack.configure({ ...base, ...(round % 2 === 0 ? there : back) });
        rounds.push(await changeRound(stack, ledger, isReload ? logins : []));
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

async function changeRound(stack: TestStack, ledger: Ledger, reloading: readonly Login[]): Promise<ChangeRound> {
  const before = await startsOf(stack, NODES);
  await ledger.untilWritten();
  ledger.lap();
  const loadTimes = await Promise.all(reloading.map(loadTime));
  const [upSeconds, effectSeconds] = await Promise.all([
    seconds(() => stack.up()),
    seconds(() => Promise.all(reloading.map((login, index) => untilReloaded(login, loadTimes[index])))),
  ]);
  await ledger.untilWritten();
  const { longestGapMilliseconds } = ledger.lap();
  const after = await startsOf(stack, NODES);
  return {
    upSeconds,
    effectSeconds: reloading.length === 0 ? null : effectSeconds,
    writeGapSeconds: longestGapMilliseconds / 1000,
    restarts: disturbed(before, after).length,
    replacedContainers: replaced(before, after).length,
    lostRows: (await ledger.lost()).length,
  };
}

const LOAD_TIME = "SELECT pg_conf_load_time()::text AS at";

async function loadTime(login: Login): Promise<string | undefined> {
  return (await rowsOf<{ at: string }>(login, LOAD_TIME))[0]?.at;
}

const POLL_MILLISECONDS = 20;

function untilReloaded(login: Login, before: string | undefined): Promise<void> {
  return withClient(login, async (client) => {
    while ((await client.query<{ at: string }>(LOAD_TIME)).rows[0]?.at === before) await sleep(POLL_MILLISECONDS);
  });
}
