import { describe, expect, test } from "vitest";
import type { Backup } from "../../operations/barman.ts";
import { removedBy, removedByChange } from "../../operations/retention.ts";

const NOW = Date.parse("2026-06-30T12:00:00Z");

const backup = (daysAgo: number, more: Partial<Backup> = {}): Backup => ({
  id: `${daysAgo}d`,
  status: "DONE",
  endedAt: NOW - daysAgo * 86_400_000,
  endLsn: null,
  timeline: null,
  systemIdentifier: null,
  sizeBytes: 0,
  walBytes: 0,
  retention: "VALID",
  ...more,
});

const DAILY = [0, 1, 2, 3, 4, 5, 9, 40].map((days) => backup(days + 0.5));

const removed = (retention: string, minimumRedundancy = 1, backups: readonly Backup[] = DAILY): string[] =>
  removedBy({ retention, minimumRedundancy }, backups, NOW).map(({ id }) => id);

describe("what Barman removes", () => {
  test.each([
    ["REDUNDANCY 3", 1, ["3.5d", "4.5d", "5.5d", "9.5d", "40.5d"]],
    ["REDUNDANCY 3", 6, ["9.5d", "40.5d"]],
    ["REDUNDANCY 9", 1, []],
    // The one that the window begins with is older than the window.
    ["RECOVERY WINDOW OF 3 DAYS", 1, ["4.5d", "5.5d", "9.5d", "40.5d"]],
    ["RECOVERY WINDOW OF 1 WEEK", 1, ["40.5d"]],
    ["RECOVERY WINDOW OF 1 MONTH", 1, []],
    ["RECOVERY WINDOW OF 2 MONTHS", 1, []],
    ["RECOVERY WINDOW OF 1 DAY", 7, ["40.5d"]],
  ])("under %s, and at least %i", (retention, minimumRedundancy, expected) => {
    expect(removed(retention, minimumRedundancy)).toEqual(expected);
  });

  test("is nothing that a person keeps, and nothing that is not done", () => {
    const kept = backup(50, { retention: "KEEP:FULL" });
    const failed = backup(2.2, { status: "FAILED" });
    const backups = [backup(1), failed, backup(2.5), backup(3), kept];
    expect(removed("REDUNDANCY 2", 1, backups)).toEqual(["3d"]);
  });
});

test("a policy that keeps less says which backups it takes away, and of one that keeps more there is nothing to say", () => {
  const change = (before: string, after: string): string | undefined =>
    removedByChange(
      { retention: before, minimumRedundancy: 1 },
      { retention: after, minimumRedundancy: 1 },
      DAILY,
      NOW,
    );
  expect(change("REDUNDANCY 7", "REDUNDANCY 5")).toBe(
    "REDUNDANCY 5 instead of REDUNDANCY 7 removes 2 backups, 9.5d, 5.5d, within a minute. `npm run backup -- keep ID` exempts one",
  );
  expect(change("REDUNDANCY 8", "REDUNDANCY 7")).toContain("removes the backup 40.5d, within a minute");
  expect(change("REDUNDANCY 5", "REDUNDANCY 7")).toBeUndefined();
  const day = { retention: "RECOVERY WINDOW OF 1 DAY", minimumRedundancy: 7 };
  expect(removedByChange(day, { ...day, minimumRedundancy: 6 }, DAILY, NOW)).toContain(
    "RECOVERY WINDOW OF 1 DAY, but at least 6, instead of RECOVERY WINDOW OF 1 DAY, but at least 7, removes the backup 9.5d",
  );
});
