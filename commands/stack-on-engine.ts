import type Docker from "dockerode";
import { OperationError } from "../operations/errors.ts";
import { findStacks } from "../operations/find-stacks.ts";
import type { StackOnEngine } from "../operations/status.ts";
import * as names from "../plan/names.ts";
import type { StackIdentity } from "../plan/names.ts";
import { BACKUP_HOME, DRILL_RECORD } from "../plan/layout.ts";
import { backupPlaceOf } from "./backup-server.ts";
import { hostsOf } from "./hosts.ts";
import { DEFAULT_STACK } from "./project.ts";

/** What a status has to know of a stack: it follows from its names. */
export const onEngine = (identity: StackIdentity): StackOnEngine => ({
  ...identity,
  ...hostsOf(identity.stack),
  labels: names.stackLabels(identity),
  nodeLabel: names.LABELS.node,
  slotOf: names.slotName,
  barman: {
    container: names.backupContainerName(identity),
    server: names.barmanServerName(identity),
    volume: names.backupVolumeName(identity),
    drillRecord: DRILL_RECORD,
    home: BACKUP_HOME,
    slot: names.BACKUP_SLOT,
    ...backupPlaceOf(identity.stack),
  },
});

/**
 * The only stack of a project on the engine.
 * @throws OperationError where there is none, or where there are several: which is meant only a person knows.
 */
export async function onlyStack(docker: Docker, project: string): Promise<string> {
  const stacks = await findStacks(docker, { [names.LABELS.project]: project }, names.LABELS.stack);
  const [stack, ...more] = stacks;
  if (stack === undefined) {
    throw new OperationError(
      `No stack of the project ${project} is on this engine. npm start brings the stack ${DEFAULT_STACK} up.`,
    );
  }
  if (more.length === 0) return stack;
  throw new OperationError(
    `Several stacks of the project ${project} are on this engine: ${stacks.join(", ")}. Say which one is meant: npm run status -- --stack ${stack}`,
  );
}
