import { expect, test } from "vitest";
import { requireIntact } from "../../operations/heartbeats.ts";

const WRITTEN = { number: 3, at: 0, hash: "c", settled: 2 };

test.each([
  ["all", { last: 3, hash: "c", firstSpoiled: 0 }, WRITTEN],
  ["all but what was lost at the end", { last: 2, hash: "b", firstSpoiled: 0 }, WRITTEN],
  ["all but what was lost within the hour", { last: 0, hash: "", firstSpoiled: 0 }, { ...WRITTEN, settled: 0 }],
  [
    "the first, of which nothing is known before",
    { last: 0, hash: "", firstSpoiled: 0 },
    { ...WRITTEN, number: 1, settled: 0 },
  ],
  ["some, and nobody to compare with", { last: 7, hash: "x", firstSpoiled: 0 }, undefined],
])("%s came back", (_title, restored, written) => {
  expect(() => requireIntact(restored, written)).not.toThrow();
});

test.each([
  ["a spoiled one", { last: 3, hash: "c", firstSpoiled: 2 }, "number 2 did not come back"],
  ["another one", { last: 3, hash: "x", firstSpoiled: 0 }, "heartbeat 3 came back, and the primary has another one"],
  [
    "an old one that is lost",
    { last: 1, hash: "a", firstSpoiled: 0 },
    "came back up to number 1, and number 2 was written",
  ],
  ["the loss of all", { last: 0, hash: "", firstSpoiled: 0 }, "came back up to number 0, and number 2 was written"],
  ["more than there are", { last: 4, hash: "d", firstSpoiled: 0 }, "heartbeat 4 came back"],
])("%s is named", (_title, restored, words) => {
  expect(() => requireIntact(restored, WRITTEN)).toThrow(words);
});
