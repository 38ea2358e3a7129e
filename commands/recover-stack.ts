import { recover } from "../operations/recover.ts";
import { LABELS, stackLabels } from "../plan/names.ts";
import type { StackIdentity } from "../plan/names.ts";
import { hostsOf, isOnHosts } from "./hosts.ts";
import { PROJECT_DIRECTORY } from "./project.ts";

/**
 * Clears what an interrupted update of a stack left behind.
 * @param stack as the CLI knows it: it may begin with an organization.
 * @param unfinishedOnly servers that an update has brought up stay, even if this state does not know them.
 * @param forgottenHost the name of one that is gone for good.
 * @returns what was done, a line each.
 */
export function recoverStack(
  stack: string,
  identity: StackIdentity,
  unfinishedOnly: boolean,
  forgottenHost?: string,
): Promise<string[]> {
  return recover({
    reference: { projectDirectory: PROJECT_DIRECTORY, stack },
    identity,
    labels: stackLabels(identity),
    nodeLabel: LABELS.node,
    scratchLabel: LABELS.scratch,
    ...(isOnHosts(identity) ? { hosts: [] } : {}),
    ...hostsOf(identity.stack),
    unfinishedOnly,
    forgottenHost,
  });
}
