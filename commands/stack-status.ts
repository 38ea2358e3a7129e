import type Docker from "dockerode";
import { requireEngine } from "../operations/engine.ts";
import { OperationError } from "../operations/errors.ts";
import { projectName } from "../operations/pulumi-state.ts";
import type { StackStatus } from "../operations/status-schema.ts";
import { stackStatus } from "../operations/status.ts";
import { withDeadline } from "../operations/with-deadline.ts";
import { PROJECT_DIRECTORY, shortStackName } from "./project.ts";
import { onEngine, onlyStack } from "./stack-on-engine.ts";

/** The engine may hang as well as a server: a status that hangs too tells nothing. */
const TIMEOUT_SECONDS = 3;

/** How often a view that stays open asks again. */
export const REFRESH_SECONDS = 2;

/**
 * The status of a stack, or of the only one on the engine.
 * @throws OperationError where the engine does not answer in time, or has no such stack.
 */
export function statusInTime(docker: Docker, stack: string | undefined): Promise<StackStatus> {
  return withDeadline(statusOf(docker, stack), TIMEOUT_SECONDS, "The Docker engine did not answer");
}

async function statusOf(docker: Docker, given: string | undefined): Promise<StackStatus> {
  await requireEngine();
  const project = await projectName(PROJECT_DIRECTORY);
  const stack = given === undefined ? await onlyStack(docker, project) : shortStackName(given);
  const status = await stackStatus(docker, onEngine({ project, stack }));
  if (status.nodes.length > 0) return status;
  throw new OperationError(
    `No node of the stack ${stack} is on this engine. npm start -- --stack ${stack} brings it up.`,
  );
}
