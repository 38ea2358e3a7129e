import { noAnswer } from "./errors.ts";
import { followsLate, senderTo, streamingProblem } from "./findings.ts";
import { bytesBehind, parseLsn } from "./lsn.ts";
import { observeServer } from "./observe.ts";
import type { ServerObservation } from "./observe.ts";
import { indentedLog } from "./server.ts";
import { withOperator } from "./sql.ts";
import type { ShapedNode, TopologyShape } from "./topology.ts";
import { waitUntil } from "./wait-until.ts";

export interface VerifiedReplication {
  readonly node: string;
  /** As pg_stat_replication has it; LATE: it is not connected yet, and applies what it has first. */
  readonly state: string;
  readonly syncState: string;
  readonly slot: string;
  readonly replayLagBytes: number;
}

export const LATE = "late";

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
        const late = await lateReplication(shape, standbys, server);
        behind = standbys.filter((node) => !late.has(node.name) && streamingProblem(node, server) !== undefined);
        seen = behind.map((node) => `${node.name}: ${streamingProblem(node, server)}`).join("; ");
        if (behind.length > 0) return undefined;
        return standbys.map((node) => late.get(node.name) ?? verifiedReplication(node, server));
      },
      seen: async () => {
        const logs = behind.map(async (node) => `Last lines of the log of ${node.name}:\n${await indentedLog(node)}`);
        return `${seen}.\n${(await Promise.all(logs)).join("\n")}`;
      },
    }),
  );
}

/** Of delayed standbys that are not connected for now: what each has still to apply. Nobody waits for as long as that takes. */
async function lateReplication(
  { operator }: TopologyShape,
  standbys: readonly ShapedNode[],
  upstream: ServerObservation,
): Promise<Map<string, VerifiedReplication>> {
  const found = standbys.map(async (node) => {
    if (node.parameters["recovery_min_apply_delay"] === undefined) return [];
    const own = await withOperator(node, operator, observeServer).catch(noAnswer);
    if (own === undefined || !followsLate(node, own, upstream)) return [];
    const replayLagBytes = bytesBehind(parseLsn(own.replayLsn), parseLsn(upstream.walLsn));
    return [{ node: node.name, state: LATE, syncState: "async", slot: node.slot, replayLagBytes }];
  });
  return new Map((await Promise.all(found)).flat().map((late) => [late.node, late]));
}

function verifiedReplication(node: ShapedNode, upstream: ServerObservation): VerifiedReplication {
  const sender = senderTo(node, upstream);
  if (sender === undefined) throw new Error(`${node.name} stopped streaming`);
  return {
    node: node.name,
    state: sender.state,
    syncState: sender.syncState,
    slot: node.slot,
    replayLagBytes: sender.replayLagBytes ?? 0,
  };
}
