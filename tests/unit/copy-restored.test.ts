import { expect, test } from "vitest";
import { requireCopyRoom } from "../../operations/copy-restored.ts";

test("a copy that would fill the disk of the primary is refused before it begins", () => {
  const gigabyte = 1e9;
  expect(() => requireCopyRoom("shop", gigabyte, 3 * gigabyte)).not.toThrow();
  expect(() => requireCopyRoom("shop", gigabyte, 2 * gigabyte)).toThrow(
    "shop has 1 GB, so that copying it takes up to 2.54 GB, and the primary has 2 GB free.",
  );
});
