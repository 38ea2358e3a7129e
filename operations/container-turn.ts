import { engineOf, inspectContainer } from "./engine.ts";
import { noAnswer } from "./errors.ts";
import { findNodes } from "./node.ts";
import type { Node, NodeMarks } from "./node.ts";
import { APPLIES_LATE } from "./observe.ts";
import { waitUntilReady } from "./server.ts";
import { withOperator } from "./sql.ts";
import type { OperatorCredentials } from "./sql.ts";
import { runAsSuperuser } from "./superuser.ts";
import { waitUntil } from "./wait-until.ts";
import { withDeadline } from "./with-deadline.ts";

/** A standby whose container is replaced before another node's. */
export interface EarlierTurn {
  readonly node: Node;
  /** Value of the label that its new container carries. */
  readonly generation: string;
}

export interface TurnOptions {
  /** How all nodes are found, one of which is the primary. */
  readonly marks: NodeMarks;
  readonly operator: OperatorCredentials;
  /** Label that names the generation of a container. */
  readonly label: string;
  readonly status: (message: string) => void;
  readonly warn: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** A clean stop, an image that starts slowly, and the WAL since the last restartpoint: of one node. */
const REPLACEMENT_TIMEOUT_SECONDS = 300;
const STREAMING_TIMEOUT_SECONDS = 120;
/** A primary that only restarts is back by then. */
const PRIMARY_BACK_SECONDS = 10;
/** Every question starts a process on every node. */
const PRIMARY_INTERVAL_SECONDS = 2;
const ANSWER_TIMEOUT_SECONDS = 4;

/**
 * Waits until a standby runs in its new container and streams again. Where nobody takes writes it streams from nobody:
 * then the dead primary, whose turn may be what brings it back, or a failover is not kept waiting for that.
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
  await untilStreaming(options, node);
}

async function untilStreaming({ marks, operator, warn, signal }: TurnOptions, node: Node): Promise<void> {
  let primaryAskedAt = performance.now() + (PRIMARY_BACK_SECONDS - PRIMARY_INTERVAL_SECONDS) * 1000;
  await waitUntil({
    condition: `${node.name} to stream again from its new container`,
    timeoutSeconds: STREAMING_TIMEOUT_SECONDS,
    intervalMilliseconds: 100,
    signal,
    probe: async () => {
      if (await receives(node, operator)) return true;
      if (performance.now() - primaryAskedAt < PRIMARY_INTERVAL_SECONDS * 1000) return undefined;
      const isPrimaryThere = await anyTakesWrites(marks);
      primaryAskedAt = performance.now();
      if (isPrimaryThere) return undefined;
      warn(`nobody takes writes: ${node.name} is back in its new container, and is not waited for to stream`);
      return true;
    },
    seen: () => "it does not stream",
  });
}

/** A node that does not answer takes none, as far as anybody can tell. */
async function anyTakesWrites(marks: NodeMarks): Promise<boolean> {
  const nodes = await findNodes(marks);
  const answers = await Promise.all(
    nodes.map((node) =>
      withDeadline(runAsSuperuser(node, "SELECT pg_is_in_recovery();\n"), ANSWER_TIMEOUT_SECONDS, "no answer").catch(
        noAnswer,
      ),
    ),
  );
  return answers.includes("f");
}

/** Or it is one that applies late, which connects only once it has applied what it has. */
const RECEIVES = `SELECT WHERE EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')
  OR ${APPLIES_LATE}`;

const receives = (node: Node, operator: OperatorCredentials): Promise<boolean> =>
  withOperator(node, operator, async (client) => {
    const { rowCount } = await client.query(RECEIVES);
    return rowCount === 1;
  });

/** What a clean stop has to write is written before clients wait for it. A server that is down has nothing to write. */
export const checkpointBeforeStop = (node: Node): Promise<unknown> =>
  runAsSuperuser(node, "CHECKPOINT;\n").catch(() => undefined);
