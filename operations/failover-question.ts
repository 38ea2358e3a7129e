import { OperationError } from "./errors.ts";
import { betterTarget, describeFailover, isLessThanKnown, lossOf, needsAcknowledgement } from "./failover.ts";
import type { SynchronousGuarantee } from "./synchronous.ts";
import { foreseeRoles } from "./foresee-roles.ts";
import { findNodes } from "./node.ts";
import { takenBack } from "./role-impact.ts";
import type { LostBytes, RoleEnvironment } from "./role-environment.ts";

/** What an operator has to know, and to answer, before another node is made the primary. */
export interface FailoverQuestion {
  /** A sentence each. */
  readonly facts: readonly string[];
  /** What is given up, to be acknowledged. null: no row is lost. */
  readonly lostBytes: LostBytes | null;
  /** Nodes that nobody can stop first, to be acknowledged. */
  readonly unfenced: readonly string[];
}

/**
 * Looks at all nodes of a stack, and changes nothing.
 * @throws OperationError where the node cannot become the primary, or is it already.
 */
export async function failoverQuestion(
  environment: RoleEnvironment,
  guarantee: SynchronousGuarantee | null,
  wanted: string,
): Promise<FailoverQuestion> {
  const foreseen = await foreseeRoles(environment, { wanted, guarantee });
  if (foreseen === undefined) {
    const names = (await findNodes(environment)).map(({ name }) => name);
    throw new OperationError(`expected --to to name a node of the stack (${names.join(", ")}), but got "${wanted}".`);
  }
  const { roles, decision } = foreseen;
  if (roles.some((role) => role.kind === "primary" && role.name === wanted)) {
    throw new OperationError(`${wanted} is the primary already.`);
  }
  switch (decision.kind) {
    case "refused":
      throw new OperationError(decision.reason);
    case "none":
    case "promote":
      return {
        facts: [`Nobody takes writes, and ${wanted} has every row: no row is lost.`],
        lostBytes: null,
        unfenced: [],
      };
    case "start":
      return {
        facts: [`${decision.nodes.join(", ")} is started first: what follows depends on what it says.`],
        lostBytes: null,
        unfenced: [],
      };
    case "unfence":
      return { facts: [takenBack(wanted)], lostBytes: null, unfenced: [] };
    case "switchover":
      return {
        facts: [`${decision.from.name} answers: this is a switchover, and no row is lost.`],
        lostBytes: null,
        unfenced: [],
      };
    case "failover": {
      const { facts, from } = decision;
      if (needsAcknowledgement(facts) && isLessThanKnown(facts)) throw new OperationError(betterTarget(facts));
      return {
        facts: describeFailover(facts, from),
        lostBytes: needsAcknowledgement(facts) ? lossOf(facts) : null,
        unfenced: facts.unfenceable,
      };
    }
  }
}
