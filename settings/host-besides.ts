interface Named {
  readonly name: string;
}

/**
 * Where what stands beside the servers is, the backup server for one: a host without a node, or else the first, in the
 * order of the nodes, that has not the first node. Who is the primary plays no part: the backups must not move when the
 * primary does. Pure.
 * @param named in the stack file.
 * @returns null: there are no hosts.
 */
export function hostBesides<H extends Named>(
  named: string | undefined,
  hosts: Readonly<Record<string, H>>,
  nodes: readonly { readonly host: H | null }[],
): H | null {
  if (named !== undefined) return hosts[named] ?? null;
  const taken = nodes.flatMap(({ host }) => host ?? []);
  const [first] = taken;
  const free = Object.values(hosts).filter(({ name }) => !taken.some((host) => host.name === name));
  const [empty] = free.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return empty ?? taken.find(({ name }) => name !== first?.name) ?? first ?? null;
}
