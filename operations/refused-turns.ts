import type { EarlierTurn } from "./container-turn.ts";
import { decideRoles } from "./decide-roles.ts";
import { EngineGoneError, engineOf, inspectContainer } from "./engine.ts";
import { newLogins } from "./new-logins.ts";
import type { Logins } from "./new-logins.ts";
import type { Node } from "./node.ts";
import { findAllNodes, observeRoles } from "./observe-roles.ts";
import type { NodeRole } from "./observe-roles.ts";
import type { RoleEnvironment } from "./role-environment.ts";

/** The containers of all nodes as they shall be, in the order in which they are replaced: the primary last. */
export interface ContainerTurns {
  /** Label whose value names the generation of a container. */
  readonly label: string;
  readonly order: readonly PlannedContainer[];
}

export interface PlannedContainer extends EarlierTurn {
  readonly image: string;
}

/** A container that an update would replace. */
export interface PendingContainer {
  readonly name: string;
  /** The image that it has now, and the one that it shall have. */
  readonly image: string;
  readonly nextImage: string;
}

/** What of the topology as it was, or as it shall be, is looked at. */
export interface Turning {
  readonly turns: ContainerTurns;
  readonly environment: RoleEnvironment;
  readonly primary: Node;
  /** undefined: an older version left the state. */
  readonly logins?: Logins;
}

/**
 * Why containers cannot take turns in an update that changes roles or logins too. The engines are asked what has to be
 * replaced: an update that was interrupted may have left some of it to the next.
 * @param before as the last update left it: nodes that are added now hold nothing yet.
 */
export async function refusedTurns(before: Turning, after: Turning): Promise<string[]> {
  const { label, order } = after.turns;
  const found = await Promise.all(order.map((planned) => pendingContainer(label, planned)));
  const pending = found.filter((container) => container !== undefined);
  if (pending.length === 0) return [];
  const names = order.map(({ node }) => node.name);
  const strangers = turnsWithNewLogins(newLogins(before.logins, after.logins), names, pending);
  const endless = await endlessTurns(before, after, names, pending);
  return [strangers, endless].filter((reason) => reason !== undefined);
}

async function endlessTurns(
  before: Turning,
  { primary, environment }: Turning,
  order: readonly string[],
  pending: readonly PendingContainer[],
): Promise<string | undefined> {
  const nodes = await findAllNodes(environment, before.environment.jobs);
  if (!nodes.some(({ name }) => name === primary.name)) return undefined;
  return turnsWithoutEnd(primary.name, order, pending, await observeRoles(nodes, environment));
}

/** @returns undefined: it stays, is not there, or its engine does not answer. */
async function pendingContainer(
  label: string,
  { node, generation, image: nextImage }: PlannedContainer,
): Promise<PendingContainer | undefined> {
  const container = await inspectContainer(engineOf(node), node.container).catch((error: unknown) => {
    if (node.host !== undefined && error instanceof EngineGoneError) return undefined;
    throw error;
  });
  if (container === undefined) return undefined;
  const { Labels: labels, Image: image } = container.Config;
  return labels[label] === generation ? undefined : { name: node.name, image, nextImage };
}

/**
 * The roles are altered on the primary once its own turn is over, and that waits until standbys stream from their new
 * containers: there they log in with what is new already.
 * @param changed what is new, in words.
 * @param order names of the nodes, in the order of their turns.
 */
export function turnsWithNewLogins(
  changed: readonly string[],
  order: readonly string[],
  pending: readonly PendingContainer[],
): string | undefined {
  const isPrimaryHeldUp = order.length > 1 && pending.some(({ name }) => name === order.at(-1));
  if (changed.length === 0 || !isPrimaryHeldUp) return undefined;
  const what = changed.join(" and ");
  return `${what} would change in the same update in which ${replaced(pending)}: standbys would log in with what the primary takes only after its own turn, which waits for them. Run two updates: first with ${what} as before, which replaces the containers, then with the new.`;
}

/**
 * A node whose turn comes after that of the primary until now would wait for it to stream like a standby, and it becomes
 * one only when all containers are there. A dead one would be started by its new container, in the middle of a failover.
 * Pure: the same observations give the same answer.
 * @param order names of the nodes, in the order of their turns.
 * @returns why the update would come to no end, and what to do instead; undefined: it does.
 */
export function turnsWithoutEnd(
  wanted: string,
  order: readonly string[],
  pending: readonly PendingContainer[],
  roles: readonly NodeRole[],
): string | undefined {
  const decision = decideRoles(wanted, true, roles);
  switch (decision.kind) {
    case "switchover":
      return pending.some(({ name }) => isAfter(order, name, decision.from.name))
        ? switchoverWithTurns(decision.from.name, wanted, pending)
        : undefined;
    case "failover":
    case "promote": {
      const from = decision.from?.name;
      if (from === undefined) return undefined;
      const isHeldUp = pending.some(({ name }) => name === from || isAfter(order, name, from));
      return isHeldUp ? failoverWithTurns(from, wanted, pending) : undefined;
    }
    case "none":
    case "start":
    case "unfence":
    case "refused":
      return undefined;
  }
}

const isAfter = (order: readonly string[], name: string, earlier: string): boolean =>
  order.includes(earlier) && order.indexOf(name) > order.indexOf(earlier);

const switchoverWithTurns = (from: string, to: string, pending: readonly PendingContainer[]): string =>
  `${to} would become the primary in place of ${from} in the same update in which ${replaced(pending)}. Containers are replaced one at a time, each streaming from the primary again before the next, which ends only while the primary stays. Run two updates: first with \`primary: ${from}\`, which replaces the containers, then with \`primary: ${to}\`.`;

function failoverWithTurns(from: string, to: string, pending: readonly PendingContainer[]): string {
  const images = pending
    .filter(({ image, nextImage }) => image !== nextImage)
    .map(({ name, image }) => `\`image: ${image}\` of ${name}`);
  const asTheyAre = images.length === 0 ? "" : ` (in \`nodes\`: ${images.join(", ")})`;
  return `${to} would take the place of ${from}, which does not answer, in the same update in which ${replaced(pending)}: the failover would have to wait for them. Run two updates: first with \`primary: ${to}\` and these containers as they are${asTheyAre}, then with what replaces them.`;
}

function replaced(pending: readonly PendingContainer[]): string {
  const each = pending.map(({ name, image, nextImage }) =>
    image === nextImage ? name : `${name} (${image} to ${nextImage})`,
  );
  return each.length === 1
    ? `the container of ${each[0]} is replaced`
    : `the containers of ${each.join(", ")} are replaced`;
}
