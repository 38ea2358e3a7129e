import { engineOf, inspectContainer } from "./engine.ts";
import type { Node } from "./node.ts";
import { waitUntilReady } from "./server.ts";
import { withOperator } from "./sql.ts";
import type { OperatorCredentials } from "./sql.ts";
import { runAsSuperuser } from "./superuser.ts";
import { waitUntil } from "./wait-until.ts";

/** A standby whose container is replaced before another node's. */
export interface EarlierTurn {
  readonly node: Node;
  /** Value of the label that its new container carries. */
  readonly generation: string;
}

export interface TurnOptions {
  readonly operator: OperatorCredentials;
  /** Label that names the generation of a container. */
  readonly label: string;
  readonly status: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** A clean stop, an image that starts slowly, and the WAL since the last restartpoint: of one node. */
const REPLACEMENT_TIMEOUT_SECONDS = 300;
const STREAMING_TIMEOUT_SECONDS = 120;

/**
 * Waits until a standby runs in its new container and streams again.
 * @throws OperationError as soon as its server ends instead, with the last lines of its log, or at the deadline.
 */
export async function untilReplaced(options: TurnOptions, { node, generation }: EarlierTurn): Promise<void> {
  const { operator, label, status, signal } = options;
  status(`waits until ${node.name} is back in its new container`);
  await waitUntil({
    condition: `${node.name} to get its new container`,
    timeoutSeconds: REPLACEMENT_TIMEOUT_SECONDS,
    intervalMilliseconds: 100,
    signal,
    probe: async () => {
      const container = await inspectContainer(engineOf(node), node.container);
      return (container?.State.Running && container.Config.Labels[label] === generation) || undefined;
    },
    seen: () => "it is not there yet",
  });
  await waitUntilReady(node, operator, signal);
  await waitUntil({
    condition: `${node.name} to stream again from its new container`,
    timeoutSeconds: STREAMING_TIMEOUT_SECONDS,
    intervalMilliseconds: 100,
    signal,
    probe: async () => (await receives(node, operator)) || undefined,
    seen: () => "it does not stream",
  });
}

const receives = (node: Node, operator: OperatorCredentials): Promise<boolean> =>
  withOperator(node, operator, async (client) => {
    const { rowCount } = await client.query("SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming'");
    return rowCount === 1;
  });

/** What a clean stop has to write is written before clients wait for it. A server that is down has nothing to write. */
export const checkpointBeforeStop = (node: Node): Promise<unknown> =>
  runAsSuperuser(node, "CHECKPOINT;\n").catch(() => undefined);
