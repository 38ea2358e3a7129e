import type Docker from "dockerode";
import prettyBytes from "pretty-bytes";
import type { Backup, Barman } from "./barman.ts";
import { OperationError } from "./errors.ts";
import { freeBytesAt } from "./free-space.ts";

/** Where a backup server has everything: the mount of its volume. */
export interface BackupHome extends Barman {
  readonly home: string;
}

/** Below that it does not go on receiving: a WAL file that is being received, and one that is being compressed. */
const WAL_ROOM_BYTES = 2 * 16 * 1024 * 1024;

/** What is free of the volume of a backup server. */
export const freeBytesOf = (docker: Docker, { container, home }: BackupHome): Promise<number> =>
  freeBytesAt(docker, container, home);

/**
 * What the volume of a backup server is short of, as it completes "the backup server: "; undefined: there is room for
 * another base backup as large as the last. Pure.
 */
export function roomWanting(freeBytes: number, last: Pick<Backup, "sizeBytes"> | undefined): string | undefined {
  const free = `its volume has ${prettyBytes(freeBytes)} free`;
  if (freeBytes < WAL_ROOM_BYTES) return `${free}, which is too little for the WAL that is to come`;
  if (last === undefined || freeBytes >= last.sizeBytes) return undefined;
  return `${free}, and the last base backup took ${prettyBytes(last.sizeBytes)}: there is no room for another one`;
}

/** @throws OperationError where the volume of a backup server is as good as full. */
export async function requireRoomForWal(docker: Docker, server: BackupHome): Promise<void> {
  const freeBytes = await freeBytesOf(docker, server);
  if (freeBytes >= WAL_ROOM_BYTES) return;
  throw new OperationError(
    `the backup server cannot go on: ${roomWanting(freeBytes, undefined)}. Make room where the engine keeps its volumes, or remove a backup (npm run backup -- list, delete ID). Until then the primary keeps the WAL, up to max_slot_wal_keep_size.`,
  );
}
