import { expect, test } from "vitest";
import { creationOptions, requireCopyRoom } from "../../operations/copy-restored.ts";
import type { DatabaseRow } from "../../operations/copy-restored.ts";

const ROW: DatabaseRow = { owner: "app", encoding: "UTF8", datcollate: "C.UTF-8", datctype: "C.UTF-8" };
const BASE = `OWNER "app" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'`;

test.each<[string, Partial<DatabaseRow>, string]>([
  ["of PostgreSQL 14, which knows no providers", {}, ""],
  ["of the C library", { datlocprovider: "c", daticulocale: null }, " LOCALE_PROVIDER libc"],
  ["of ICU in 15", { datlocprovider: "i", daticulocale: "de-AT" }, " LOCALE_PROVIDER icu ICU_LOCALE 'de-AT'"],
  [
    "of ICU in 17, with rules of its own",
    { datlocprovider: "i", datlocale: "de-AT", daticurules: "&a < 'g'" },
    " LOCALE_PROVIDER icu ICU_LOCALE 'de-AT' ICU_RULES '&a < ''g'''",
  ],
  ["built in", { datlocprovider: "b", datlocale: "C.UTF-8" }, " LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"],
])("a database is made with the locale that it had: %s", (_title, differences, locale) => {
  expect(creationOptions({ ...ROW, ...differences })).toBe(BASE + locale);
});

test("a copy that would fill the disk of the primary is refused before it begins", () => {
  const gigabyte = 1e9;
  expect(() => requireCopyRoom("shop", gigabyte, 3 * gigabyte)).not.toThrow();
  expect(() => requireCopyRoom("shop", gigabyte, 2 * gigabyte)).toThrow(
    "shop has 1 GB, so that copying it takes up to 2.54 GB, and the primary has 2 GB free.",
  );
});
