import { streamingProblem } from "./findings.ts";
import { observeServer } from "./observe.ts";
import type { ServerObservation } from "./observe.ts";
import { indentedLog } from "./server.ts";
import { withOperator } from "./sql.ts";
import type { ShapedNode, TopologyShape } from "./topology.ts";
import { waitUntil } from "./wait-until.ts";

export interface VerifiedReplication {
  readonly node: string;
  readonly state: string;
  readonly syncState: string;
  readonly slot: string;
  readonly replayLagBytes: number;
}

const STREAMING_TIMEOUT_SECONDS = 60;

/**
 * Waits for the standbys of one upstream, over one connection to it.
 * @throws OperationError at the deadline, with the last lines of the log of each that does not stream.
 */
export async function untilStreaming(
  { shape, signal }: { shape: TopologyShape; signal?: AbortSignal | undefined },
  upstream: ShapedNode,
  standbys: readonly ShapedNode[],
): Promise<VerifiedReplication[]> {
  let behind: readonly ShapedNode[] = standbys;
  let seen = "nothing yet";
  return withOperator(upstream, shape.operator, (client) =>
    waitUntil({
      condition: `${standbys.map((node) => node.name).join(", ")} to stream from ${upstream.name} over TLS`,
      timeoutSeconds: STREAMING_TIMEOUT_SECONDS,
      signal,
      probe: async () => {
        const server = await observeServer(client);
        behind = standbys.filter((node) => streamingProblem(node, server) !== undefined);
        seen = behind.map((node) => `${node.name}: ${streamingProblem(node, server)}`).join("; ");
        return behind.length > 0 ? undefined : standbys.map((node) => verifiedReplication(node, server));
      },
      seen: async () => {
        const logs = behind.map(async (node) => `Last lines of the log of ${node.name}:\n${await indentedLog(node)}`);
        return `${seen}.\n${(await Promise.all(logs)).join("\n")}`;
      },
    }),
  );
}

function verifiedReplication(node: ShapedNode, upstream: ServerObservation): VerifiedReplication {
  const sender = upstream.senders.find((candidate) => candidate.applicationName === node.name);
  if (sender === undefined) throw new Error(`${node.name} stopped streaming`);
  return {
    node: node.name,
    state: sender.state,
    syncState: sender.syncState,
    slot: node.slot,
    replayLagBytes: sender.replayLagBytes ?? 0,
  };
}
