import { expect, test } from "vitest";
import { cloneInWords } from "../../operations/wording.ts";

test.each([
  [0, "0 B, about 2 s"],
  [22_500_000, "22.5 MB, about 2 s"],
  [12e9, "12 GB, about 88 s"],
  [500e9, "500 GB, about 60 min"],
  [9e12, "9 TB, about 18 h"],
])("a base backup of %i bytes is one of %s", (bytes, words) => {
  expect(cloneInWords(bytes)).toBe(words);
});
