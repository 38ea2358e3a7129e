import { findNodes } from "./node.ts";
import type { NodeMarks } from "./node.ts";

/** The Docker network of a stack, as the stack file has it. */
export interface ChosenNetwork extends NodeMarks {
  /** null: the engine chooses the subnet. In the state of Pulumi that is nothing at all. */
  readonly network: { readonly name: string; readonly subnet: string | null };
}

/**
 * A Docker network keeps its subnet: another one is another network, and the engine does not remove the one that
 * containers are attached to.
 */
export async function refusedSubnet(before: ChosenNetwork, after: ChosenNetwork): Promise<string[]> {
  const [was, shallBe] = [before.network.subnet ?? null, after.network.subnet ?? null];
  if (was === shallBe || (await findNodes(before)).length === 0) return [];
  const back = was === null ? "Leave `network.subnet` out again" : `Set \`network.subnet: ${was}\` again`;
  return [
    `the subnet of the Docker network ${before.network.name} was ${inWords(was)} and is now ${inWords(shallBe)}: a network keeps its subnet, and the nodes are attached to this one. ${back}; for another subnet, found a second stack there from the backups of this one (\`bootstrap\`).`,
  ];
}

const inWords = (subnet: string | null): string => subnet ?? "the engine's choice";
