import prettyBytes from "pretty-bytes";
import type { Backup } from "./barman.ts";
import { isRestorable } from "./barman.ts";
import { OperationError } from "./errors.ts";

/** Everything committed up to a moment, with its time zone; where the last of it is in the WAL, null if not known. */
interface TimeTarget {
  readonly kind: "time";
  readonly at: string;
  readonly lsn: string | null;
}

/** What a restore is to reach. */
export type RestoreTarget =
  /** Everything that Barman has. */
  | { readonly kind: "latest" }
  /** The end of one backup. */
  | { readonly kind: "backup"; readonly id: string }
  | TimeTarget
  | { readonly kind: "lsn"; readonly lsn: string }
  /** A restore point, and where it was found in the WAL. */
  | { readonly kind: "name"; readonly name: string; readonly lsn: string };

/** Where recovery ends; "end": when there is no more WAL, "immediate": as soon as the backup is consistent. */
export type RecoveryStop =
  { readonly kind: "end" | "immediate" } | { readonly kind: "time" | "lsn" | "name"; readonly value: string };

export interface ChosenBackup {
  readonly backup: Backup;
  readonly stop: RecoveryStop;
}

/** As `barman restore` is told: what is restored stays at its target, and only reads. */
export function barmanOptions(stop: RecoveryStop): string[] {
  switch (stop.kind) {
    case "end":
      return [];
    case "immediate":
      return ["--target-immediate", "--target-action", "pause"];
    case "time":
    case "lsn":
    case "name":
      return [`--target-${stop.kind}`, stop.value, "--target-action", "pause"];
  }
}

/** As the server itself is told: the parameter and its value; none for the end of all WAL. */
export function recoveryTarget(stop: RecoveryStop): string[] {
  switch (stop.kind) {
    case "end":
      return [];
    case "immediate":
      return ["recovery_target", "immediate"];
    case "time":
    case "lsn":
    case "name":
      return [`recovery_target_${stop.kind}`, stop.value];
  }
}

/**
 * The backup from which a target is reached by replaying the least WAL. Pure.
 * @param now in milliseconds since 1970.
 * @throws OperationError for a target that cannot be reached, saying what can.
 */
export function chooseBackup(target: RestoreTarget, backups: readonly Backup[], now: number): ChosenBackup {
  const restorable = backups.filter(isRestorable).toSorted((a, b) => (a.id > b.id ? -1 : 1));
  const newest = restorable[0];
  if (newest === undefined)
    throw new OperationError("There is no backup that can be restored. Take one by npm run backup -- now.");
  switch (target.kind) {
    case "latest":
      return { backup: newest, stop: { kind: "end" } };
    case "backup":
      return { backup: named(target.id, backups), stop: { kind: "immediate" } };
    case "time": {
      const backup = before(target.at, restorable, now);
      return { backup, stop: stopAtMoment(target, backup) };
    }
    case "lsn":
      return { backup: beforeLsn(target.lsn, restorable), stop: { kind: "lsn", value: target.lsn } };
    case "name":
      return { backup: beforeLsn(target.lsn, restorable), stop: { kind: "name", value: target.name } };
  }
}

/**
 * Recovery to a moment would stop only at the next commit, and by then have removed the files of a database that this
 * commit drops: after the last commit before it nothing is replayed.
 */
function stopAtMoment({ at, lsn }: TimeTarget, { endLsn }: Backup): RecoveryStop {
  if (lsn === null || endLsn === null) return { kind: "time", value: at };
  return lsnNumber(lsn) < lsnNumber(endLsn) ? { kind: "immediate" } : { kind: "lsn", value: lsn };
}

function named(id: string, backups: readonly Backup[]): Backup {
  const found = backups.find((backup) => backup.id === id);
  if (found !== undefined && isRestorable(found)) return found;
  if (found !== undefined)
    throw new OperationError(`The backup ${id} is ${found.status}: only one that is DONE can be restored.`);
  throw new OperationError(`There is no backup ${id}. There are: ${backups.map((backup) => backup.id).join(", ")}.`);
}

function before(at: string, restorable: readonly Backup[], now: number): Backup {
  const wanted = momentOf(at);
  if (wanted > now) {
    throw new OperationError(
      `${at} is in the future: it is ${new Date(now).toISOString()}. Name an earlier moment, or ask for all there is.`,
    );
  }
  // Barman's list has whole seconds.
  const found = restorable.find(({ endedAt }) => endedAt !== null && endedAt + 1000 <= wanted);
  if (found !== undefined) return found;
  const first = restorable.at(-1)?.endedAt ?? null;
  const since = first === null ? "unknown" : new Date(first + 1000).toISOString();
  throw new OperationError(`${at} is before the end of the first backup: moments from ${since} on can be restored.`);
}

/** A moment as PostgreSQL and people write it, in milliseconds since 1970. */
export const momentOf = (text: string): number => Date.parse(momentInUtc(text).replace(" ", "T") + "Z");

/**
 * The same in UTC, with microseconds, for example "2026-11-20 14:02:59.000000".
 * @throws OperationError without a time zone: it would be guessed, and a guess is an hour wrong twice a year.
 */
export function momentInUtc(text: string): string {
  const [, date, time, seconds = ":00", fraction = "", zone] =
    /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)(:\d\d)?(?:\.(\d{1,6}))? ?(Z|[+-]\d\d(?::?\d\d)?)$/.exec(text) ?? [];
  const moment = zone === undefined ? NaN : Date.parse(`${date}T${time}${seconds}${isoZone(zone)}`);
  if (Number.isNaN(moment)) {
    throw new OperationError(
      `expected a moment with its time zone, such as "2026-11-20 14:02:59+00", but got "${text}".`,
    );
  }
  return `${new Date(moment).toISOString().slice(0, 19).replace("T", " ")}.${fraction.padEnd(6, "0")}`;
}

function isoZone(zone: string): string {
  if (zone === "Z") return zone;
  const digits = zone.slice(1).replace(":", "").padEnd(4, "0");
  return `${zone.slice(0, 1)}${digits.slice(0, 2)}:${digits.slice(2)}`;
}

function beforeLsn(lsn: string, restorable: readonly Backup[]): Backup {
  const wanted = lsnNumber(lsn);
  const found = restorable.find(({ endLsn }) => endLsn !== null && lsnNumber(endLsn) <= wanted);
  if (found !== undefined) return found;
  const first = restorable.at(-1)?.endLsn ?? "unknown";
  throw new OperationError(`${lsn} is before the end of the first backup: positions from ${first} on can be restored.`);
}

/** A position in the WAL as a number, as PostgreSQL writes pg_lsn: two hexadecimal halves. */
export function lsnNumber(lsn: string): bigint {
  const [, high, low] = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(lsn) ?? [];
  if (high === undefined || low === undefined)
    throw new OperationError(`expected a position in the WAL such as 0/3000148, but got "${lsn}".`);
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

/** Beyond the files of a backup and its WAL: room for the server to work. */
const SPARE_BYTES = 512 * 1024 * 1024;

/** @throws OperationError when a restore of the backup would fill what is free. */
export function requireFreeBytes(backup: Backup, freeBytes: number): void {
  const neededBytes = backup.sizeBytes + backup.walBytes + SPARE_BYTES;
  if (freeBytes >= neededBytes) return;
  throw new OperationError(
    `restoring ${backup.id} takes ${prettyBytes(neededBytes)}, and the engine has ${prettyBytes(freeBytes)} free. Make room first.`,
  );
}
