import { expect, test } from "vitest";
import { backupPlaceNote } from "../../operations/backup-place.ts";
import type { BackupPlace } from "../../operations/backup-place.ts";

const on = (name: string) => ({ host: { name, docker: `ssh://${name}`, address: "10.0.0.1" } });
const place = (primary: string, backups: string): BackupPlace => ({
  primary: { name: `node-of-${primary}`, container: "p", ...on(primary) },
  backupServer: { name: "barman", container: "b", ...on(backups) },
});

test("where the backup server is, is said once", () => {
  expect(backupPlaceNote(undefined, place("db1", "db2"))).toMatchObject({ isShared: false });
  expect(backupPlaceNote(place("db1", "db2"), place("db1", "db2"))).toBeUndefined();
});

test("that it shares the host of the primary is said when that comes to be", () => {
  const note = backupPlaceNote(place("db1", "db2"), place("db2", "db2"));
  expect(note).toMatchObject({ isShared: true });
  expect(note?.message).toContain("the backup server is on db2, where node-of-db2, the primary, is too");
});

test("without hosts there is nothing to say", () => {
  expect(backupPlaceNote(undefined, { primary: { name: "node-1", container: "p" } })).toBeUndefined();
});
