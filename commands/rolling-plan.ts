import { z } from "zod";

const node = z.object({
  name: z.string(),
  image: z.string().optional(),
  applyDelay: z.unknown().optional(),
  upstream: z.unknown().optional(),
});

/** What a rolling update goes by, of a stack file. What is wrong with it, a preview tells. */
export const rollingStackFile = z.object({
  primary: z.string(),
  image: z.string().optional(),
  nodes: z.array(node),
});
export type RollingStackFile = z.infer<typeof rollingStackFile>;

/** One update each. */
export type RollingStep =
  /** As the stack file says already: a rolling update was interrupted over it. */
  | { readonly kind: "as it is" }
  /** Their places in the list of nodes. */
  | { readonly kind: "standbys"; readonly indices: readonly number[] }
  | { readonly kind: "switchover"; readonly to: string }
  /** The image is the stack's, and no node's own: the old primary, where it has been replaced, is left. */
  | { readonly kind: "all"; readonly ownImages: readonly number[] };

/** Nodes that would keep an image of their own when the stack gets another one. */
export const nodesWithOwnImage = ({ nodes }: RollingStackFile, image: string): string[] =>
  nodes.filter((node) => node.image !== undefined && node.image !== image).map(({ name }) => name);

/**
 * The updates that bring an image to every node: standbys first, then another primary, so that its container is replaced
 * while it is a standby. Pure; with a stack file that was left in between, what is left of them. The image of a primary
 * that nobody can follow is replaced in its place.
 */
export function rollingSteps({ primary, nodes, ...file }: RollingStackFile, image: string): RollingStep[] {
  const indices = (is: (node: RollingStackFile["nodes"][number]) => boolean): number[] =>
    nodes.flatMap((node, index) => (is(node) ? [index] : []));
  const ownImages = indices((node) => node.image !== undefined);
  const started: RollingStep[] = ownImages.length === 0 ? [] : [{ kind: "as it is" }];
  const isPrimaryDone = nodes.some((node) => node.name === primary && node.image === image);
  const to = successor(primary, nodes);
  if (file.image === image || isPrimaryDone || to === undefined) return [...started, { kind: "all", ownImages }];
  const standbys = indices(({ name }) => name !== primary);
  return [
    ...started,
    { kind: "standbys", indices: standbys },
    { kind: "switchover", to },
    // A primary's own would have been refused, or is this image already.
    { kind: "all", ownImages: standbys },
  ];
}

/** One that applies changes late, or that has an `upstream`, cannot be the primary as the stack file is. */
function successor(primary: string, nodes: RollingStackFile["nodes"]): string | undefined {
  const others = nodes.filter(({ name }) => name !== primary);
  return others.find(({ applyDelay, upstream }) => applyDelay === undefined && upstream === undefined)?.name;
}
