import type Docker from "dockerode";
import { connectEngine, requireEngine } from "../operations/engine.ts";
import { OperationError } from "../operations/errors.ts";
import { projectName } from "../operations/pulumi-state.ts";
import type { StackStatus } from "../operations/status-schema.ts";
import { stackStatus } from "../operations/status.ts";
import { withDeadline } from "../operations/with-deadline.ts";
import type { StackIdentity } from "../plan/names.ts";
import { PROJECT_DIRECTORY, shortStackName } from "./project.ts";
import { onEngine, onlyStack } from "./stack-on-engine.ts";

/** The engine may hang as well as a server: a status that hangs too tells nothing. */
const ENGINE_TIMEOUT_SECONDS = 3;
/** Each node and the backup server have a deadline of their own; on a machine that is at its limit, so has this program. */
const TIMEOUT_SECONDS = 10;
const SILENCE = "The Docker engine did not answer";

/** How often a view that stays open asks again. */
export const REFRESH_SECONDS = 2;

/**
 * The status of a stack, or of the only one on the engine.
 * @throws OperationError where the engine does not answer in time, or has no such stack.
 */
export function statusInTime(stack: string | undefined): Promise<StackStatus> {
  return withDeadline(statusOf(stack), TIMEOUT_SECONDS, SILENCE);
}

async function statusOf(given: string | undefined): Promise<StackStatus> {
  const project = await projectName(PROJECT_DIRECTORY);
  const stack = given === undefined ? await onlyStack(await thisEngine(), project) : shortStackName(given);
  const status = await statusOn({ project, stack });
  if (status.nodes.length > 0) return status;
  throw new OperationError(
    `No node of the stack ${stack} is on this engine. npm start -- --stack ${stack} brings it up.`,
  );
}

async function thisEngine(): Promise<Docker> {
  await withDeadline(requireEngine(), ENGINE_TIMEOUT_SECONDS, SILENCE);
  return connectEngine();
}

/** Where there are hosts, the engine of this machine need not be one of them. */
async function statusOn(identity: StackIdentity): Promise<StackStatus> {
  const stack = onEngine(identity);
  if (stack.hosts === undefined) await thisEngine();
  return stackStatus(stack);
}
