import type Docker from "dockerode";
import type { Node } from "./node.ts";
import { waitUntilReady } from "./server.ts";
import type { OperatorCredentials } from "./sql.ts";
import { runAsSuperuser } from "./superuser.ts";

const STOP_TIMEOUT_SECONDS = 120;

/**
 * Restarts one server cleanly. The checkpoint beforehand is what a fast shutdown would otherwise spend its time on
 * while clients wait.
 */
export async function restartServer(
  docker: Docker,
  node: Node,
  operator: OperatorCredentials,
  signal?: AbortSignal,
): Promise<void> {
  await runAsSuperuser(docker, node, "CHECKPOINT;\n");
  await docker.getContainer(node.container).restart({ t: STOP_TIMEOUT_SECONDS });
  await waitUntilReady(docker, node, operator, signal);
}
