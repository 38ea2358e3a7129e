import { expect, test } from "vitest";
import { copyOf, targetOf } from "../../commands/restore-arguments.ts";
import type { RestoreArguments } from "../../commands/restore-arguments.ts";

const TARGETS: readonly (readonly [RestoreArguments, object])[] = [
  [{ at: "2026-11-20 14:02:59+00" }, { kind: "time", at: "2026-11-20 14:02:59+00" }],
  [{ backup: "20261120T020000" }, { kind: "backup", id: "20261120T020000" }],
  [{ name: "before" }, { kind: "name", name: "before" }],
  [{ lsn: "0/1" }, { kind: "lsn", lsn: "0/1" }],
  [{ latest: true }, { kind: "latest" }],
];

test.each(TARGETS)("%j is a target", (given, target) => {
  expect(targetOf(given, "usage")).toEqual(target);
});

test.each<[RestoreArguments, number]>([
  [{}, 0],
  [{ latest: false }, 0],
  [{ at: "2026-11-20 14:02:59+00", latest: true }, 2],
])("%j is no target, and the usage says what is", (given, count) => {
  expect(() => targetOf(given, "usage: restore")).toThrow(new RegExp(`expected one of --at.*got ${count}.*usage`, "s"));
});

test.each<[RestoreArguments, object | null]>([
  [{}, null],
  [
    { database: "shop", into: "shop_before" },
    { database: "shop", table: null, into: "shop_before" },
  ],
  [
    { database: "shop", replace: true },
    { database: "shop", table: null, into: null },
  ],
  [
    { database: "shop", table: "a.b", into: "c" },
    { database: "shop", table: "a.b", into: "c" },
  ],
])("%j is copied", (given, copy) => {
  expect(copyOf(given)).toEqual(copy);
});

test.each<[RestoreArguments, string]>([
  [{ table: "a.b" }, "expected --database with"],
  [{ into: "c" }, "expected --database with"],
  [{ replace: true }, "expected --database with"],
  [{ database: "shop" }, "either --into NAME or --replace"],
  [{ database: "shop", into: "c", replace: true }, "either --into NAME or --replace"],
  [{ database: "shop", table: "orders", replace: true }, 'such as public.orders, but got "orders"'],
])("%j is refused", (given, words) => {
  expect(() => copyOf(given)).toThrow(words);
});
