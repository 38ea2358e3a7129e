import { LABELS } from "./names.ts";
import type { Labels } from "./names.ts";
import type { HostPlan, HostPort, NodePlan, Plan } from "./plan.ts";

/** As operations know a node; without hosts it has neither of the last two. */
export interface PlacedNode {
  readonly name: string;
  readonly container: string;
  readonly host?: HostPlan;
  readonly endpoint?: HostPort;
}

export const placed = ({ name, container, host, published }: NodePlan): PlacedNode => ({
  name,
  container,
  ...on(host),
  ...(host === null || published === null ? {} : { endpoint: published }),
});

/** The engine that something is on, as operations take it. */
export const on = (host: HostPlan | null): { readonly host?: HostPlan } => (host === null ? {} : { host });

/** How operations find the nodes; with hosts, also where the engine of one does not answer. */
export const nodeMarks = ({ labels, hosts, nodes }: Plan): NodeMarks => ({
  labels,
  nodeLabel: LABELS.node,
  ...(hosts.length === 0 ? {} : { placed: nodes.map(placed) }),
});

export interface NodeMarks {
  readonly labels: Labels;
  readonly nodeLabel: string;
  readonly placed?: readonly PlacedNode[];
}
