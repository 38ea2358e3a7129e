import type { NodeSettings, Settings } from "../settings/settings.ts";

/**
 * Standbys that can confirm a commit of `node` were it the primary: those that would stream from it directly and
 * without delay.
 */
export function synchronousCandidates(settings: Settings, node: string): NodeSettings[] {
  return settings.nodes.filter(
    (candidate) => candidate.name !== node && candidate.upstream === null && candidate.applyDelay === null,
  );
}

/**
 * `synchronous_standby_names` of one node (PostgreSQL, "Synchronous Replication"); "" is asynchronous. Every node has
 * it, not only the primary, so that a promoted standby keeps the guarantee from its first commit on.
 */
export function synchronousStandbyNames(settings: Settings, node: string): string {
  const { synchronous } = settings.replication;
  if (synchronous.mode === "async") return "";
  const names = synchronousCandidates(settings, node).map((candidate) => `"${candidate.name}"`);
  const method = synchronous.mode === "priority" ? "FIRST" : "ANY";
  return `${method} ${synchronous.count} (${names.join(", ")})`;
}
