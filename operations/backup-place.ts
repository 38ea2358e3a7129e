import { engineOf, inspectContainer, isReachable } from "./engine.ts";
import type { Node } from "./node.ts";

/** Where several hosts are: the backup server of a stack, and its primary. */
export interface BackupPlace {
  readonly primary: Node;
  /** Without it there are no hosts, or no backups. */
  readonly backupServer?: Node;
}

/** Its volume would be made anew on the other engine, empty, and the old one deleted with all backups. */
export async function movedBackups(before: BackupPlace, after: BackupPlace): Promise<string[]> {
  const [old, next] = [before.backupServer, after.backupServer];
  if (old?.host === undefined || next?.host === undefined || old.host.name === next.host.name) return [];
  // An update that failed before the server was made may have failed for the very host that is being changed.
  if ((await isReachable(old)) && (await inspectContainer(engineOf(old), old.container)) === undefined) return [];
  return [
    `the backup server would move from ${old.host.name} to ${next.host.name}, and its backups do not move with it. Write \`backup: { host: ${old.host.name} }\`. To have it elsewhere, disable backups in an update of its own, which gives up the old ones, and enable them again.`,
  ];
}

/** What is to be said of where the backups are, when that, or where the primary is, is new. Pure. */
export interface PlaceNote {
  readonly message: string;
  /** Whether one host has both. */
  readonly isShared: boolean;
}

export function backupPlaceNote(before: BackupPlace | undefined, after: BackupPlace): PlaceNote | undefined {
  const { primary, backupServer } = after;
  const place = backupServer?.host?.name;
  if (place === undefined) return undefined;
  if (before?.backupServer?.host?.name === place && before.primary.name === primary.name) return undefined;
  if (primary.host?.name !== place) return { message: `the backup server is on ${place}`, isShared: false };
  const message = `the backup server is on ${place}, where ${primary.name}, the primary, is too: who loses this host loses both`;
  return { message, isShared: true };
}
