import { engineOf } from "./engine.ts";
import type { Node } from "./node.ts";
import { waitUntilReady } from "./server.ts";
import { withOperator } from "./sql.ts";
import type { OperatorCredentials } from "./sql.ts";
import { runAsSuperuser } from "./superuser.ts";

const STOP_TIMEOUT_SECONDS = 120;

/**
 * Restarts one server cleanly. The checkpoint beforehand is what a fast shutdown would otherwise spend its time on
 * while clients wait.
 * @returns when its stop began (performance.now()).
 */
export async function restartServer(node: Node, operator: OperatorCredentials, signal?: AbortSignal): Promise<number> {
  await runAsSuperuser(node, "CHECKPOINT;\n");
  const stoppedAt = performance.now();
  await engineOf(node).getContainer(node.container).restart({ t: STOP_TIMEOUT_SECONDS });
  await waitUntilReady(node, operator, signal);
  return stoppedAt;
}

/** Commits a message in the WAL that nobody reads: once it returns, a client's write would have been confirmed too. */
export async function writeOnce(node: Node, operator: OperatorCredentials): Promise<void> {
  await withOperator(node, operator, (client) =>
    client.query("SELECT pg_catalog.pg_logical_emit_message(true, 'pg-topology', 'restarted')"),
  );
}
