import { TestHosts } from "../tests/support/hosts.ts";
import { Ledger } from "../tests/support/ledger.ts";
import { mostAdvanced } from "../tests/support/most-advanced.ts";
import type { StackOutputs } from "../tests/support/outputs.ts";
import { freePorts } from "../tests/support/ports.ts";
import { TestStack } from "../tests/support/stack.ts";
import type { StackConfig } from "../tests/support/stack.ts";
import { ANY_LOSS } from "./roles.ts";
import { LEDGER_PAUSE_MILLISECONDS, seconds } from "./statistics.ts";

/** One life of a stack on three hosts, in seconds where nothing else is said. */
export interface HostsRound {
  readonly firstUp: number;
  /** The longest time between two confirmed writes while the primary changes to another host. */
  readonly switchoverGap: number;
  /** With the primary killed, from the start of `up --skip-preview` to the first confirmed write. */
  readonly failover: number;
  /** From there to the end of the update: the old primary streams again, and all is verified. */
  readonly rejoin: number;
  /** Acknowledged ones that the switchover lost. */
  readonly lostRows: number;
}

const NODES = { "node-1": "db1", "node-2": "db2", "node-3": "db3" } as const;

/** On the hosts that are not this machine. */
const FAR = ["node-2", "node-3"] as const;

/** By the delay, in milliseconds, of what goes to each host but the first. */
export async function hostsRounds(
  delays: readonly number[],
  rounds: number,
  image: string,
): Promise<Map<number, HostsRound[]>> {
  const hosts = await TestHosts.create(Object.values(NODES));
  const results = new Map<number, HostsRound[]>();
  try {
    // The image is sent to each host once, which is not what is measured.
    await hostsRound(hosts, image);
    for (const delay of delays.toSorted((a, b) => a - b)) {
      if (delay > 0)
        await Promise.all(FAR.map((node) => hosts.stretch(NODES[node], { milliseconds: delay, lostPercent: 0 })));
      const found: HostsRound[] = [];
      for (let round = 1; round <= rounds; round += 1) {
        console.log(`three hosts, ${delay} ms, round ${round} of ${rounds}`);
        found.push(await hostsRound(hosts, image));
      }
      results.set(delay, found);
    }
    return results;
  } finally {
    await hosts.dispose();
  }
}

async function hostsRound(hosts: TestHosts, image: string): Promise<HostsRound> {
  const [port = 0] = await freePorts(1);
  const config = (primary: string, more: StackConfig = {}): StackConfig => {
    return { image, ...hosts.placing(NODES, port), primary, ...more };
  };
  const stack = await TestStack.create(config("node-1"));
  try {
    const firstUp = await seconds(() => stack.up());
    const { readWriteUri } = await stack.outputs<StackOutputs>();
    const ledger = await Ledger.start(readWriteUri, LEDGER_PAUSE_MILLISECONDS);
    ledger.lap();
    await stack.configure(config("node-2"));
    await stack.up();
    await ledger.untilWritten();
    const switchoverGap = ledger.lap().longestGapMilliseconds / 1000;
    const lostRows = (await ledger.lost()).length;
    await hosts.docker(NODES["node-2"], ["kill", stack.container("node-2")]);
    const best = await mostAdvanced(["node-1", "node-3"] as const, (node, sql) =>
      hosts.psql(NODES[node], stack.container(node), sql),
    );
    await stack.configure(config(best, { acknowledge: ANY_LOSS }));
    const [failover, up] = await Promise.all([seconds(() => ledger.untilWritten(120_000)), seconds(() => stack.up())]);
    await ledger.stop();
    return { firstUp, switchoverGap, failover, rejoin: up - failover, lostRows };
  } finally {
    await stack.pulumi(["destroy", "--yes", "--skip-preview"]);
    await stack.dispose();
  }
}
