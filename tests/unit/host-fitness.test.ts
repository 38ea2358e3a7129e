import { expect, test } from "vitest";
import { clockApart } from "../../operations/host-fitness.ts";

test.each([
  [0, []],
  [5400, []],
  [-5400, []],
  [61_000, [expect.stringContaining("the clock of db1 is 61 s ahead of the one of this machine")]],
  [-6000, [expect.stringContaining("6 s behind")]],
])("a clock that is %d ms ahead", (milliseconds, warnings) => {
  expect(clockApart("db1", 1_000_000 + milliseconds, 1_000_000)).toEqual(warnings);
});
