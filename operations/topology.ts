import type { Node } from "./node.ts";
import type { OperatorCredentials } from "./sql.ts";

/** The topology as it shall be, as far as running servers are concerned. */
export interface TopologyShape {
  /** The primary first, every standby after its upstream. */
  readonly nodes: readonly ShapedNode[];
  readonly operator: OperatorCredentials;
}

export interface ShapedNode extends Node {
  /** null: the primary. */
  readonly upstream: string | null;
  /** The slot that it streams from. */
  readonly slot: string;
  /** Every parameter that its files set. */
  readonly parameters: Readonly<Record<string, string>>;
}

export const primaryOf = (shape: TopologyShape): ShapedNode | undefined =>
  shape.nodes.find((node) => node.upstream === null);

export const standbysOf = (shape: TopologyShape): ShapedNode[] => shape.nodes.filter((node) => node.upstream !== null);

/** Who streams from a node, by the shape. */
export const downstreamOf = (shape: TopologyShape, node: Node): ShapedNode[] =>
  shape.nodes.filter((other) => other.upstream === node.name);
