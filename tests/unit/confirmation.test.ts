import { expect, test } from "vitest";
import { standbyConfirmation } from "../../operations/confirmation.ts";
import { SHAPE } from "./topology-support.ts";

const waitingFor = (names: string) => ({
  ...SHAPE,
  nodes: SHAPE.nodes.map((node) => ({ ...node, parameters: { synchronous_standby_names: names } })),
});

test.each([
  ["", undefined],
  ['ANY 1 ("node-2", "node-3")', { count: 1, names: ["node-2", "node-3"] }],
  ['FIRST 2 ("node-2", "node-3")', { count: 2, names: ["node-2", "node-3"] }],
  // The backup server is made after the topology, and may not be there yet.
  ['ANY 2 ("barman", "node-2", "node-3")', { count: 1, names: ["node-2", "node-3"] }],
  ['ANY 1 ("barman")', undefined],
])("commits that wait for %j are confirmed by %j", (names, confirmation) => {
  expect(standbyConfirmation(waitingFor(names))).toEqual(confirmation);
});
