import { inspect } from "./containers.ts";
import type { TestStack } from "./stack.ts";

/** Of one node: which container it has, and since when that runs. A server is restarted with its container, never alone. */
export interface Start {
  readonly containerId: string;
  readonly startedAt: string;
}

/** By the node's name; nodes without a container are left out. */
export async function startsOf(stack: TestStack, nodes: readonly string[]): Promise<Map<string, Start>> {
  const entries = nodes.map(async (name): Promise<[string, Start][]> => {
    try {
      const { Id, State } = await inspect(stack.container(name));
      return [[name, { containerId: Id, startedAt: State.StartedAt }]];
    } catch {
      return [];
    }
  });
  return new Map((await Promise.all(entries)).flat());
}

/** Nodes that were there before and still are, and were restarted or have another container. */
export function disturbed(before: ReadonlyMap<string, Start>, after: ReadonlyMap<string, Start>): string[] {
  return [...after].flatMap(([name, start]) => {
    const old = before.get(name);
    return old !== undefined && old.startedAt !== start.startedAt ? [name] : [];
  });
}

/** Those of them that have another container. */
export function replaced(before: ReadonlyMap<string, Start>, after: ReadonlyMap<string, Start>): string[] {
  return disturbed(before, after).filter((name) => before.get(name)?.containerId !== after.get(name)?.containerId);
}
