import { expect, test } from "vitest";
import { layoutOf } from "../../plan/layout.ts";

test.each([
  [14, "/var/lib/postgresql/data", "/var/lib/postgresql/data/pgdata"],
  [15, "/var/lib/postgresql/data", "/var/lib/postgresql/data/pgdata"],
  [17, "/var/lib/postgresql/data", "/var/lib/postgresql/data/pgdata"],
  [18, "/var/lib/postgresql", "/var/lib/postgresql/18/docker"],
  [19, "/var/lib/postgresql", "/var/lib/postgresql/19/docker"],
])("PostgreSQL %i has its volume at %s, where its image declares it, and its data in %s", (major, mount, data) => {
  expect(layoutOf(major)).toMatchObject({ dataMount: mount, dataDirectory: data });
});

test.each([15, 18])(
  "of PostgreSQL %i nothing but the data is inside the data directory, so that it can be renamed",
  (major) => {
    const { dataMount, dataDirectory, stagingDirectory, fenceFile, foundingFile, slotBoundFile } = layoutOf(major);
    for (const path of [stagingDirectory, fenceFile, foundingFile, slotBoundFile]) {
      expect(path.startsWith(`${dataMount}/`)).toBe(true);
      expect(path.startsWith(dataDirectory)).toBe(false);
    }
  },
);
