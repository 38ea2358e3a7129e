import type { ServerObservation } from "./observe.ts";
import type { NodeOutline, TopologyOutline } from "./topology.ts";

/** A node as the engine has it, and what its server says; undefined: it does not answer. */
export interface SeenNode {
  readonly name: string;
  readonly slot: string;
  readonly server: ServerObservation | undefined;
  /** Of its server. */
  readonly restoreCommand: string;
}

/**
 * The topology that servers are judged by where nobody has read the stack file: the primary is who takes writes, and a
 * standby's upstream is who sends to it, or who keeps WAL for it while it is away.
 * @param primary undefined: nobody takes writes, and nobody is anybody's upstream.
 */
export function outlineOf(
  nodes: readonly SeenNode[],
  primary: string | undefined,
  otherSlots: readonly string[],
): TopologyOutline | undefined {
  if (primary === undefined) return undefined;
  const outlined = nodes.map(({ name, slot, restoreCommand }): NodeOutline => {
    const upstream = name === primary ? null : (upstreamOf(name, slot, nodes, primary) ?? primary);
    return { name, slot, upstream, parameters: { restore_command: restoreCommand } };
  });
  return { nodes: outlined, otherSlots };
}

function upstreamOf(name: string, slot: string, nodes: readonly SeenNode[], primary: string): string | undefined {
  const others = nodes.filter((node) => node.name !== name);
  const sending = others.find(({ server }) => server?.senders.some(({ applicationName }) => applicationName === name));
  const keeping = others
    .filter(({ server }) => server?.slots.some((kept) => kept.name === slot && kept.restartLsn !== null))
    .toSorted((a, b) => Number(b.name === primary) - Number(a.name === primary));
  return (sending ?? keeping[0])?.name;
}

/** Who takes writes. Of several the one on the newest timeline, where the others can follow it. */
export function primaryAmong(nodes: readonly SeenNode[]): string | undefined {
  const primaries = nodes.filter(({ server }) => server?.role === "primary");
  return primaries.toSorted((a, b) => (b.server?.timeline ?? 0) - (a.server?.timeline ?? 0))[0]?.name;
}
