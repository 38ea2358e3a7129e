import { findNodes } from "./node.ts";
import type { Node } from "./node.ts";
import { observeRoles } from "./observe-roles.ts";
import type { NodeRole } from "./observe-roles.ts";
import { cannotFollow, chooseRung, describeRung, planRejoin, primaryHistory, refusedRejoin } from "./rejoin.ts";
import type { RejoinContext } from "./rejoin.ts";
import { runAsSuperuser } from "./superuser.ts";
import type { TimelineSpan } from "./timeline-history.ts";
import { cloneInWords } from "./wording.ts";

/** What a node that cannot follow the primary as it is will do about it. */
export interface ForeseenRejoin {
  readonly node: string;
  readonly line: string;
  /** It holds rows that nothing in the stack file gives up: an update stops there. */
  readonly isRefused: boolean;
}

/** The same, for nodes that have not been looked at yet. */
export async function foreseeRejoinsTo(context: RejoinContext, primary: string): Promise<ForeseenRejoin[]> {
  const nodes = await findNodes(context.environment);
  return foreseeRejoins(context, nodes, await observeRoles(nodes, context.environment), primary);
}

/** Nothing is changed, and nobody is stopped. Where the node is not the primary, nobody rejoins it. */
export async function foreseeRejoins(
  context: RejoinContext,
  nodes: readonly Node[],
  roles: readonly NodeRole[],
  name: string,
): Promise<ForeseenRejoin[]> {
  const primary = nodes.find((node) => node.name === name);
  const role = roles.find((candidate) => candidate.name === name);
  if (primary === undefined || role?.kind !== "primary") return [];
  const history = await primaryHistory(primary, role.timeline);
  const stuck = cannotFollow(
    roles.filter((other) => other !== role),
    history,
  );
  const rejoins = stuck.map(async (other) => {
    const node = nodes.find((candidate) => candidate.name === other.name);
    return node === undefined ? [] : foreseeRejoin(context, primary, node, other, history);
  });
  return (await Promise.all(rejoins)).flat();
}

const SIZE = "SELECT coalesce(sum(pg_database_size(oid)), 0) FROM pg_database;\n";

const cloneSize = async (primary: Node): Promise<string> => cloneInWords(Number(await runAsSuperuser(primary, SIZE)));

async function foreseeRejoin(
  context: RejoinContext,
  primary: Node,
  node: Node,
  role: NodeRole,
  history: readonly TimelineSpan[],
): Promise<ForeseenRejoin[]> {
  if (role.kind === "primary" || (role.kind === "down" && role.container === "unreachable")) return [];
  const { name } = node;
  // The log of a server that runs is read to its end once it is stopped: until then, what it has replayed counts.
  const step =
    role.kind === "standby"
      ? chooseRung(name, role.history ?? [], role.replayedLsn, history)
      : await planRejoin(context, node, role, history);
  const refusal = refusedRejoin(step, role.kind === "down" && role.fence !== "none", context.acknowledgement);
  const size = step.rung === "clone" ? ` (${await cloneSize(primary)})` : "";
  const line = refusal ?? `${name} rejoins by ${describeRung(step.rung)}${size}: ${step.reason}`;
  return [{ node: name, line, isRefused: refusal !== undefined }];
}
