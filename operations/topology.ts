import type { Node } from "./node.ts";
import type { OperatorCredentials } from "./sql.ts";
import type { VolumeContents } from "./volume-files.ts";

/** The topology as it shall be, as far as running servers are concerned. */
export interface TopologyShape {
  /** The primary first, every standby after its upstream. */
  readonly nodes: readonly ShapedNode[];
  /** Slots of the primary that belong to no node: a backup server's. Every other node has them too, unreserved. */
  readonly otherSlots: readonly string[];
  /** Of nodes that have left, and of a backup server that has; absent: of none. A node that was away may have one yet. */
  readonly retiredSlots?: readonly string[];
  readonly operator: OperatorCredentials;
}

export interface ShapedNode extends Node, NodeOutline {
  /** The files that its server is configured by. */
  readonly serverFiles: VolumeContents;
}

/** As much of a topology as its servers are judged by: of the stack file, or of what the servers themselves say. */
export interface TopologyOutline<N extends NodeOutline = NodeOutline> {
  readonly nodes: readonly N[];
  readonly otherSlots: readonly string[];
  readonly retiredSlots?: readonly string[];
}

export interface NodeOutline {
  readonly name: string;
  /** null: the primary. */
  readonly upstream: string | null;
  /** The slot that it streams from. */
  readonly slot: string;
  /** Every parameter that its files set. */
  readonly parameters: Readonly<Record<string, string>>;
}

export const primaryOf = (shape: TopologyShape): ShapedNode | undefined =>
  shape.nodes.find((node) => node.upstream === null);

export const standbysOf = <N extends NodeOutline>(shape: TopologyOutline<N>): N[] =>
  shape.nodes.filter((node) => node.upstream !== null);

/** Who streams from a node, by the shape. */
export const downstreamOf = <N extends NodeOutline>(shape: TopologyOutline<N>, node: { readonly name: string }): N[] =>
  shape.nodes.filter((other) => other.upstream === node.name);

/** Slots that keep WAL on a node, by the shape: for whoever streams from it. */
export const reservedSlots = (shape: TopologyOutline, node: NodeOutline): string[] => [
  ...downstreamOf(shape, node).map(({ slot }) => slot),
  ...(node.upstream === null ? shape.otherSlots : []),
];

/** Slots that a node has, but that keep no WAL: they wait for the day on which it is promoted. */
export function waitingSlots(shape: TopologyOutline, node: NodeOutline): string[] {
  const others = shape.nodes.filter(({ name }) => name !== node.name).map(({ slot }) => slot);
  const reserved = new Set(reservedSlots(shape, node));
  return [...others, ...shape.otherSlots].filter((slot) => !reserved.has(slot));
}

/** Slots that no node has to have any more: once retired, of those before, or of the topology before this one. */
export function retiredSlots(shape: TopologyOutline, before: TopologyOutline | undefined): string[] {
  const needed = new Set(allSlots(shape));
  const known = before === undefined ? [] : [...(before.retiredSlots ?? []), ...allSlots(before)];
  return [...new Set(known)].filter((slot) => !needed.has(slot)).toSorted();
}

const allSlots = ({ nodes, otherSlots }: TopologyOutline): string[] => [
  ...nodes.map(({ slot }) => slot),
  ...otherSlots,
];
