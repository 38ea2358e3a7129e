import type { NodeSettings, Settings, SynchronousSettings } from "../settings/settings.ts";
import { BACKUP_RECEIVER } from "./names.ts";

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
  const standbys = synchronousCandidates(settings, node).map(({ name }) => name);
  const names = synchronous.includeBackup ? [BACKUP_RECEIVER, ...standbys] : standbys;
  const method = synchronous.mode === "priority" ? "FIRST" : "ANY";
  return `${method} ${confirmations(synchronous)} (${names.map((name) => `"${name}"`).join(", ")})`;
}

/**
 * How many a write waits for. The backup server comes on top of the standbys: whoever has confirmed a write, `count`
 * standbys are among them.
 */
export function confirmations(synchronous: SynchronousSettings): number {
  if (synchronous.mode === "async") return 0;
  return synchronous.count + (synchronous.includeBackup ? 1 : 0);
}
