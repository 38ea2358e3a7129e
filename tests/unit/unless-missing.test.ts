import { expect, test } from "vitest";
import { unlessMissing } from "../../operations/engine.ts";

/** As dockerode words what an engine answers. */
const refusal = (statusCode: number, reason: string): Promise<never> =>
  Promise.reject(Object.assign(new Error(`(HTTP code ${statusCode}) ${reason} `), { statusCode }));

test.each([
  ["is not there", 404, "no such container - No such container: dev-node-1"],
  ["is being removed", 500, "server error - RWLayer of container 663666c1c3a5 is unexpectedly nil"],
])("a container that %s is missing", async (_title, statusCode, reason) => {
  expect(await unlessMissing(refusal(statusCode, reason))).toBeUndefined();
});

test("an engine that fails otherwise has failed", async () => {
  await expect(unlessMissing(refusal(500, "server error - no space left on device"))).rejects.toThrow("no space left");
});
