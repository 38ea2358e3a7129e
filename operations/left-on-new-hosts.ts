import type { OnHost } from "./docker-host.ts";
import { stackObjects } from "./orphans.ts";
import type { StackMarks, StackObject } from "./orphans.ts";

/**
 * What the stack left on hosts that its state has forgotten, or never knew: containers and networks that would be in the
 * way. It may be the servers of another state as well: nothing of it is removed. A sentence or two for each host.
 */
export async function leftOnNewHosts(
  before: Pick<StackMarks, "hosts">,
  after: StackMarks,
  answering: readonly OnHost[],
): Promise<string[]> {
  const known = new Set(before.hosts?.map(({ name }) => name));
  const added = answering.flatMap(({ host }) => (host === undefined || known.has(host.name) ? [] : [host]));
  if (added.length === 0) return [];
  const left = (await stackObjects({ ...after, hosts: added })).filter(({ registered }) => registered);
  return [...Map.groupBy(left, ({ host }) => host?.name ?? "")].map(([host, objects]) => refusal(host, objects));
}

/** Pure. */
function refusal(host: string, objects: readonly StackObject[]): string {
  const steps = objects.flatMap(({ kind, name }) =>
    kind === "network" ? [`docker network rm ${name}`] : [`docker stop ${name}`, `docker rm ${name}`],
  );
  return (
    `this state knows nothing of what this stack left on ${host}: ${objects.map(({ kind, name }) => `${kind} ${name}`).join(", ")}. ` +
    `If no other state does, remove it there: \`${steps.join("; ")}\`. Volumes stay, and the next update takes over the data in them.`
  );
}
