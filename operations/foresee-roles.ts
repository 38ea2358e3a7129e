import { decideRoles } from "./decide-roles.ts";
import type { RoleDecision } from "./decide-roles.ts";
import { failoverFacts } from "./failover.ts";
import type { FailoverFacts } from "./failover.ts";
import type { Node } from "./node.ts";
import { findAllNodes, observeRoles } from "./observe-roles.ts";
import type { NodeRole } from "./observe-roles.ts";
import type { RoleEnvironment } from "./role-environment.ts";
import type { SynchronousGuarantee } from "./synchronous.ts";

/** The nodes as they are, and what an update will do so that one of them is the only primary. */
export interface ForeseenRoles {
  readonly nodes: readonly Node[];
  readonly roles: readonly NodeRole[];
  readonly decision: ForeseenDecision;
}

export type ForeseenDecision =
  | Exclude<RoleDecision, { kind: "failover" }>
  | (Extract<RoleDecision, { kind: "failover" }> & { readonly facts: FailoverFacts });

export interface WantedRoles {
  /** The node that the stack file names, or is going to name, as the primary. */
  readonly wanted: string;
  /** Whether that is a change; absent: it is. */
  readonly asked?: boolean;
  readonly guarantee: SynchronousGuarantee | null;
  /** Of the nodes that the last update left: those that are added now hold nothing yet. Absent: all. */
  readonly jobs?: RoleEnvironment["jobs"];
  /** Nodes whose own rows the stack file gives up; absent: none. */
  readonly dispensable?: readonly string[];
}

/**
 * Looks at all nodes of a stack, and changes nothing.
 * @returns undefined: the wanted node has no container and never had one.
 */
export async function foreseeRoles(
  environment: RoleEnvironment,
  { wanted, asked = true, guarantee, jobs, dispensable = [] }: WantedRoles,
): Promise<ForeseenRoles | undefined> {
  const nodes = await findAllNodes(environment, jobs);
  if (!nodes.some(({ name }) => name === wanted)) return undefined;
  const roles = await observeRoles(nodes, environment);
  const decision = decideRoles(wanted, asked, roles, { dispensable, failed: [] });
  if (decision.kind !== "failover") return { nodes, roles, decision };
  const { from, to } = decision;
  const fromNode = nodes.find(({ name }) => name === from.name);
  if (fromNode === undefined) throw new Error(`${from.name} was seen, and is not among the nodes`);
  const facts = await failoverFacts(environment, { from, fromNode, to, nodes: roles, guarantee });
  return { nodes, roles, decision: { ...decision, facts } };
}
