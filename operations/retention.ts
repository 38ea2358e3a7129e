import { isRestorable } from "./barman.ts";
import type { Backup } from "./barman.ts";

/** What a Barman server keeps. */
export interface RetentionPolicy {
  /** `RECOVERY WINDOW OF n DAYS|WEEKS|MONTHS` or `REDUNDANCY n`. */
  readonly retention: string;
  readonly minimumRedundancy: number;
}

const DAY_MILLISECONDS = 86_400_000;

/** Barman's months have 31 days. */
const DAYS_OF: Readonly<Record<string, number>> = { DAY: 1, WEEK: 7, MONTH: 31 };

/**
 * Backups that Barman removes under a policy, the newest first (Barman, retention_policies.py). Those that are not done
 * are not its affair, nor are those that a person keeps.
 * @param backups the newest first.
 */
export function removedBy(policy: RetentionPolicy, backups: readonly Backup[], nowMilliseconds: number): Backup[] {
  const done = backups.filter(isRestorable);
  const kept = Math.max(neededBy(policy.retention, done, nowMilliseconds), policy.minimumRedundancy);
  return done.slice(kept).filter(({ retention }) => !retention.startsWith("KEEP"));
}

/** How many of the newest: of a window also the one that it begins with. */
function neededBy(retention: string, done: readonly Backup[], nowMilliseconds: number): number {
  const [, count = "", unit] =
    /^(?:REDUNDANCY|RECOVERY WINDOW OF) (\d+)(?: (DAY|WEEK|MONTH)S?)?$/.exec(retention) ?? [];
  if (unit === undefined) return Number(count);
  const windowBegin = nowMilliseconds - Number(count) * (DAYS_OF[unit] ?? 1) * DAY_MILLISECONDS;
  const older = done.findIndex(({ endedAt }) => endedAt !== null && endedAt < windowBegin);
  return older === -1 ? done.length : older + 1;
}

const inWords = ({ retention, minimumRedundancy }: RetentionPolicy): string =>
  minimumRedundancy === 1 ? retention : `${retention}, but at least ${minimumRedundancy},`;

/** What another policy takes away that the one before would have kept, as a sentence; undefined: nothing. */
export function removedByChange(
  before: RetentionPolicy,
  after: RetentionPolicy,
  backups: readonly Backup[],
  nowMilliseconds: number,
): string | undefined {
  const anyhow = new Set(removedBy(before, backups, nowMilliseconds).map(({ id }) => id));
  const ids = removedBy(after, backups, nowMilliseconds)
    .map(({ id }) => id)
    .filter((id) => !anyhow.has(id));
  if (ids.length === 0) return undefined;
  const which = ids.length === 1 ? `the backup ${ids[0]}` : `${ids.length} backups, ${ids.toReversed().join(", ")}`;
  return `${inWords(after)} instead of ${inWords(before)} removes ${which}, within a minute. \`npm run backup -- keep ID\` exempts one`;
}
