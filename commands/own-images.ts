import { z } from "zod";

const nodes = z.array(z.object({ name: z.string(), image: z.string().optional() }));

/**
 * The nodes that would keep an image of their own when the stack gets another one.
 * @param listed the list of nodes, as `pulumi config get nodes` prints it. What is wrong with it, a preview tells.
 */
export function nodesWithOwnImage(listed: string, image: string): string[] {
  const parsed = nodes.safeParse(fromJson(listed));
  if (!parsed.success) return [];
  return parsed.data.filter((node) => node.image !== undefined && node.image !== image).map(({ name }) => name);
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
