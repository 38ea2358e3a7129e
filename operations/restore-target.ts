import prettyBytes from "pretty-bytes";
import { isReachedFrom, leadsTo, newestTimeline, searchLines, timelineAt } from "./archived-timelines.ts";
import type { ArchivedTimeline } from "./archived-timelines.ts";
import type { CataloguedBackup } from "./barman-catalogue.ts";
import type { Backup } from "./barman.ts";
import { isRestorable } from "./barman.ts";
import { OperationError } from "./errors.ts";

/** A place in the WAL. */
export interface WalPlace {
  readonly lsn: string;
  /** Whose WAL it was found in. */
  readonly timeline: number;
}

/** What find-in-wal.sh has found; null: nothing. */
export function placeIn(output: string): WalPlace | null {
  const [, lsn, timeline] = /^([0-9A-F]+\/[0-9A-F]+) on ([0-9A-F]{8})$/m.exec(output) ?? [];
  return lsn === undefined || timeline === undefined ? null : { lsn, timeline: Number.parseInt(timeline, 16) };
}

/** What find-in-wal.sh is asked for the last commit up to a moment, on the timeline that was the primary's then. */
export function lastCommit(at: string, timelines: readonly ArchivedTimeline[]): string[] {
  const moment = momentInUtc(at);
  const then = timelineAt(timelines, moment);
  return ["last-commit", moment, ...(then === undefined ? [] : searchLines(then))];
}

/** Everything committed up to a moment, with its time zone; where the last of it is in the WAL, null if not known. */
interface TimeTarget {
  readonly kind: "time";
  readonly at: string;
  readonly last: WalPlace | null;
}

/** What a restore is to reach. */
export type RestoreTarget =
  /** Everything that Barman has. */
  | { readonly kind: "latest" }
  /** The end of one backup. */
  | { readonly kind: "backup"; readonly id: string }
  | TimeTarget
  | { readonly kind: "lsn"; readonly lsn: string }
  /** A restore point, and where it was found. */
  | { readonly kind: "name"; readonly name: string; readonly found: WalPlace };

/** Where recovery ends; "end": when there is no more WAL, "immediate": as soon as the backup is consistent. */
export type RecoveryStop =
  { readonly kind: "end" | "immediate" } | { readonly kind: "time" | "lsn"; readonly value: string };

export interface ChosenBackup {
  readonly backup: Backup;
  readonly stop: RecoveryStop;
  /** Along which timeline recovery goes. */
  readonly timeline: number | "latest";
}

/**
 * The backups of the cluster that runs. Pure.
 * @param system identifier of the running one; undefined: none takes writes, and all count.
 * @throws OperationError where there are others only.
 */
export function ofSystem(backups: readonly Backup[], system: string | undefined): readonly Backup[] {
  if (system === undefined) return backups;
  const own = backups.filter(({ systemIdentifier }) => systemIdentifier === null || systemIdentifier === system);
  const [other] = backups;
  if (own.length > 0 || other === undefined) return own;
  throw new OperationError(
    `All backups are of another cluster: ${other.id} is of the system ${other.systemIdentifier}, and the primary is ${system}. npm run restore -- --backup ID restores one of them as it is; npm run backup -- now takes one of this cluster.`,
  );
}

/** All there is, along the timeline of the present. */
export const EVERYTHING = { stop: { kind: "end" }, timeline: "latest" } as const;

/**
 * As `barman restore` is told: what is restored stays at its target, and only reads. Without a timeline Barman reports
 * success, and what lies behind a change of roles is not reached.
 */
export function barmanOptions({ stop, timeline }: Pick<ChosenBackup, "stop" | "timeline">): string[] {
  const along = ["--target-tli", `${timeline}`];
  switch (stop.kind) {
    case "end":
      return along;
    case "immediate":
      return [...along, "--target-immediate", "--target-action", "pause"];
    case "time":
    case "lsn":
      return [...along, `--target-${stop.kind}`, stop.value, "--target-action", "pause"];
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
      return [`recovery_target_${stop.kind}`, stop.value];
  }
}

/**
 * The backup from which a target is reached by replaying the least WAL. Pure.
 * @param now in milliseconds since 1970.
 * @param timelines of all WAL there is, the oldest first.
 * @throws OperationError for a target that cannot be reached, saying what can.
 */
export function chooseBackup(
  target: RestoreTarget,
  backups: readonly Backup[],
  now: number,
  timelines: readonly ArchivedTimeline[],
): ChosenBackup {
  const restorable = backups.filter(isRestorable).toSorted((a, b) => (a.id > b.id ? -1 : 1));
  if (restorable.length === 0)
    throw new OperationError("There is no backup that can be restored. Take one by npm run backup -- now.");
  if (target.kind === "backup") {
    const backup = named(target.id, backups);
    return { backup, stop: { kind: "immediate" }, timeline: alongOf(backup, timelines) };
  }
  const way = wayTo(target, timelines);
  const starts = restorable.filter((backup) => way === undefined || isReachedFrom(way, backup));
  const timeline = way === undefined || way === newestTimeline(timelines) ? "latest" : way.timeline;
  return { ...startOf(target, starts, now), timeline };
}

/**
 * The timeline that leads to a target. What the present has in common with the past is reached along the timeline of the
 * present; only what was left behind by a change of the primary is not. undefined: there has been only one.
 */
function wayTo(
  target: Exclude<RestoreTarget, { kind: "backup" }>,
  timelines: readonly ArchivedTimeline[],
): ArchivedTimeline | undefined {
  const newest = newestTimeline(timelines);
  if (newest === undefined || target.kind === "latest" || target.kind === "lsn") return newest;
  const place = target.kind === "time" ? target.last : target.found;
  const then =
    target.kind === "time"
      ? timelineAt(timelines, momentInUtc(target.at))
      : timelines.find(({ timeline }) => timeline === target.found.timeline);
  if (then === undefined) return newest;
  const isShared =
    place === null
      ? newest.history.some(({ timeline }) => timeline === then.timeline)
      : leadsTo(newest, place.timeline, lsnNumber(place.lsn));
  return isShared ? newest : then;
}

/** A backup of the old primary may have ended after the new one had begun. */
function alongOf(backup: Backup, timelines: readonly ArchivedTimeline[]): number | "latest" {
  const newest = newestTimeline(timelines);
  return newest === undefined || backup.timeline === null || isReachedFrom(newest, backup) ? "latest" : backup.timeline;
}

function startOf(
  target: Exclude<RestoreTarget, { kind: "backup" }>,
  starts: readonly Backup[],
  now: number,
): Omit<ChosenBackup, "timeline"> {
  switch (target.kind) {
    case "latest": {
      const [newest] = starts;
      if (newest !== undefined) return { backup: newest, stop: EVERYTHING.stop };
      throw new OperationError(
        "All backups are of a time that the primary went back behind. Take another one by npm run backup -- now.",
      );
    }
    case "time": {
      const backup = before(target.at, starts, now);
      return { backup, stop: stopAtMoment(target, backup) };
    }
    case "lsn":
      return { backup: beforeLsn(target.lsn, starts), stop: { kind: "lsn", value: target.lsn } };
    case "name": {
      // Recovery to a name would end at the first one that is called so.
      const { lsn } = target.found;
      return { backup: beforeLsn(lsn, starts), stop: { kind: "lsn", value: lsn } };
    }
  }
}

/**
 * Recovery to a moment would stop only at the next commit, and by then have removed the files of a database that this
 * commit drops: after the last commit before it nothing is replayed.
 */
function stopAtMoment({ at, last }: TimeTarget, { endLsn }: Backup): RecoveryStop {
  if (last === null || endLsn === null) return { kind: "time", value: at };
  return lsnNumber(last.lsn) < lsnNumber(endLsn) ? { kind: "immediate" } : { kind: "lsn", value: last.lsn };
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

/** How much WAL Barman unpacks: up to a position what was written until then, and otherwise all there is. Pure. */
export function walBytesUpTo(stop: RecoveryStop, { beginLsn, endLsn, walBytes }: CataloguedBackup): number {
  const last = lastNeeded(stop, endLsn);
  if (beginLsn === null || last === null) return walBytes;
  return Math.min(walBytes, Number(lsnNumber(last) - lsnNumber(beginLsn)));
}

function lastNeeded(stop: RecoveryStop, endLsn: string | null): string | null {
  switch (stop.kind) {
    case "end":
    case "time":
      return null;
    case "immediate":
      return endLsn;
    case "lsn":
      return stop.value;
  }
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
