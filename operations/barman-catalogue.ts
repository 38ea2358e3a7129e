import { timelineOf } from "./barman.ts";
import type { Backup } from "./barman.ts";
import { OperationError } from "./errors.ts";

/** What a Barman volume holds, read without a Barman. */
export interface BarmanCatalogue {
  readonly backups: readonly CataloguedBackup[];
  /** Of the engine's file system. */
  readonly freeBytes: number;
}

export interface CataloguedBackup extends Backup {
  readonly postgresMajor: number;
  /** Where it began; null: it is not written down. */
  readonly beginLsn: string | null;
  /** Whether all of it is in one directory. */
  readonly hasTablespaces: boolean;
}

/** One line of what config-templates/barman-catalogue.sh writes, as Barman's own files have it. */
interface BackupInfo {
  readonly id: string;
  readonly status?: string;
  readonly version?: string;
  readonly end_time?: string;
  readonly begin_xlog?: string;
  readonly end_xlog?: string;
  readonly end_wal?: string;
  readonly size?: string;
  readonly xlog_segment_size?: string;
  readonly tablespaces?: string;
  readonly segmentsSince: string;
}

/** The newest backup first. @throws OperationError when the script has written something else. */
export function parseCatalogue(output: string): BarmanCatalogue {
  const free = /^free bytes: *(\d+)$/m.exec(output)?.[1];
  const backups = /^backups: (\[.*\])$/m.exec(output)?.[1];
  if (free === undefined || backups === undefined) {
    throw new OperationError(`the backups cannot be looked at. Seen instead of a list:\n${output}`);
  }
  // A Barman of another version may have written down a backup in both of its places.
  const infos = new Map((JSON.parse(backups) as BackupInfo[]).map((info) => [info.id, info]));
  const found = [...infos.values()].map(asBackup).toSorted((a, b) => (a.id > b.id ? -1 : 1));
  return { backups: found, freeBytes: Number(free) };
}

function asBackup(info: BackupInfo): CataloguedBackup {
  const endWal = given(info.end_wal);
  const endedAt = Date.parse((info.end_time ?? "").replace(" ", "T"));
  return {
    id: info.id,
    status: info.status ?? "unknown",
    endedAt: Number.isNaN(endedAt) ? null : endedAt,
    endLsn: given(info.end_xlog),
    timeline: endWal === null ? null : timelineOf(endWal),
    systemIdentifier: null,
    sizeBytes: Number(given(info.size) ?? 0),
    beginLsn: given(info.begin_xlog),
    walBytes: Number(info.segmentsSince) * Number(given(info.xlog_segment_size) ?? 0),
    retention: "",
    postgresMajor: Math.floor(Number(given(info.version) ?? 0) / 10_000),
    hasTablespaces: given(info.tablespaces) !== null,
  };
}

/** Barman writes None for what it does not know. */
const given = (value: string | undefined): string | null =>
  value === undefined || value === "None" || value === "" ? null : value;
