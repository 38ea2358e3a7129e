import type Docker from "dockerode";
import { freeBytesOf } from "./backup-room.ts";
import type { BackupHome } from "./backup-room.ts";
import { describeCheck } from "./backup-server.ts";
import { checkBarman, isRestorable, listBackups } from "./barman.ts";
import type { Backup } from "./barman.ts";
import type { OnHost } from "./docker-host.ts";
import { EngineGoneError, inspectContainer, promptEngine, unlessMissing } from "./engine.ts";
import { lastDrill } from "./drill-record.ts";
import type { DrillRecord } from "./drill-record.ts";
import { noAnswer } from "./errors.ts";
import type { BackupStatus } from "./status-schema.ts";
import { withDeadline } from "./with-deadline.ts";

const ANSWER_TIMEOUT_SECONDS = 2.5;

/** A backup server by its names, whether there is one or not. */
export interface NamedBarman extends BackupHome, OnHost {
  /** With the backups. */
  readonly volume: string;
  /** Where it has the result of the last drill. */
  readonly drillRecord: string;
}

/**
 * What a backup server says of its backups; null: the stack has none. It waits no longer than its deadline. Where there
 * are hosts, the last update has put one there: then it is none only if that says so.
 */
export async function backupStatus(server: NamedBarman, now: Date): Promise<BackupStatus | null> {
  try {
    return await askedStatus(await promptEngine(server), server, now);
  } catch (error) {
    // Without hosts there is nobody else to ask: then the engine is what has to be told of.
    if (server.host === undefined || !(error instanceof EngineGoneError)) throw error;
    return { ...unknownOf(server), state: "unreachable" };
  }
}

const unknownOf = ({ container }: NamedBarman) =>
  ({ container, restorable: null, newest: null, lastDrill: null, failedChecks: null, freeBytes: null }) as const;

async function askedStatus(docker: Docker, server: NamedBarman, now: Date): Promise<BackupStatus | null> {
  const { container, volume, drillRecord } = server;
  const unknown = unknownOf(server);
  const found = await inspectContainer(docker, container);
  if (found === undefined) {
    const backups = await unlessMissing(docker.getVolume(volume).inspect());
    return backups === undefined && server.host === undefined ? null : { ...unknown, state: "gone" };
  }
  if (!found.State.Running || found.State.Paused) return { ...unknown, state: found.State.Status };
  const [drill, backups, checks, freeBytes] = await Promise.all([
    inTime(lastDrill(docker, container, drillRecord)),
    inTime(listBackups(docker, server)),
    inTime(checkBarman(docker, server)),
    inTime(freeBytesOf(docker, server)),
  ]);
  if (backups === undefined) return { ...unknown, freeBytes: freeBytes ?? null, state: "no answer" };
  const restorable = backups.filter(isRestorable);
  return {
    container,
    state: found.State.Status,
    restorable: restorable.length,
    newest: newestOf(restorable, now),
    lastDrill: drillOf(drill ?? null, now),
    failedChecks: checks?.filter(({ ok }) => !ok).map(describeCheck) ?? null,
    freeBytes: freeBytes ?? null,
  };
}

function newestOf([newest]: readonly Backup[], now: Date): BackupStatus["newest"] {
  if (newest === undefined) return null;
  const { id, endedAt, sizeBytes } = newest;
  if (endedAt === null) return { id, endedAt: null, ageSeconds: null, sizeBytes };
  return { id, endedAt: new Date(endedAt).toISOString(), ageSeconds: ageSeconds(endedAt, now), sizeBytes };
}

const drillOf = (drill: DrillRecord | null, now: Date): BackupStatus["lastDrill"] =>
  drill && { ...drill, ageSeconds: ageSeconds(Date.parse(drill.at), now) };

const ageSeconds = (moment: number, now: Date): number => Math.max(0, Math.round((now.getTime() - moment) / 1000));

/** undefined: it did not come in time, or not at all. */
const inTime = <T>(work: Promise<T>): Promise<T | undefined> =>
  withDeadline(work, ANSWER_TIMEOUT_SECONDS, "no answer").catch(noAnswer);
