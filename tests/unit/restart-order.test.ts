import { describe, expect, test } from "vitest";
import type { PendingParameter } from "../../operations/observe.ts";
import { restartOrder } from "../../operations/restart-order.ts";
import { SHAPE } from "./topology-support.ts";

const change = (name: string, running: string, pending: string | null): PendingParameter => ({
  name,
  running,
  pending,
});
const everywhere = (...parameters: PendingParameter[]): Map<string, PendingParameter[]> =>
  new Map(SHAPE.nodes.map((node) => [node.name, parameters]));
const order = (pending: Map<string, PendingParameter[]>): string[] =>
  restartOrder(SHAPE, pending).nodes.map((node) => node.name);

describe("the order of restarts", () => {
  test("a hot standby parameter that grows: standbys first", () => {
    expect(order(everywhere(change("max_connections", "100", "200")))).toEqual(["node-2", "node-3", "node-1"]);
  });

  test("one that shrinks: the primary first, and standbys wait until they have replayed it", () => {
    const pending = everywhere(change("max_connections", "200", "100"));
    expect(order(pending)).toEqual(["node-1", "node-2", "node-3"]);
    expect(restartOrder(SHAPE, pending).afterReplay).toBe(true);
  });

  test("numbers are compared as numbers", () => {
    expect(restartOrder(SHAPE, everywhere(change("max_connections", "90", "100"))).afterReplay).toBe(false);
  });

  test("other parameters: standbys first, whatever they do", () => {
    expect(order(everywhere(change("shared_buffers", "256MB", "128MB")))).toEqual(["node-2", "node-3", "node-1"]);
  });

  test("only nodes that wait for a restart are restarted", () => {
    expect(order(new Map([["node-3", [change("shared_buffers", "128MB", "256MB")]]]))).toEqual(["node-3"]);
    expect(order(everywhere())).toEqual([]);
  });

  test("what an unfinished update left on a standby alone goes by the primary, which is not touched", () => {
    const left = new Map([["node-2", [change("max_connections", "300", "100")]]]);
    expect(order(left)).toEqual(["node-2"]);
    expect(restartOrder(SHAPE, left).afterReplay).toBe(true);
  });

  test("a third value after an unfinished update: standbys that have more come down to it before the primary goes up", () => {
    const pending = new Map([
      ["node-1", [change("max_connections", "100", "200")]],
      ["node-2", [change("max_connections", "300", "200")]],
      ["node-3", [change("max_connections", "100", "200")]],
    ]);
    expect(order(pending)).toEqual(["node-2", "node-3", "node-1"]);
    expect(restartOrder(SHAPE, pending).afterReplay).toBe(false);
  });

  test("one that grows beside one that shrinks is refused: no order is right for both", () => {
    const pending = everywhere(change("max_connections", "100", "200"), change("max_worker_processes", "16", "8"));
    expect(() => restartOrder(SHAPE, pending)).toThrow(
      "max_connections grows while max_worker_processes shrinks: standbys must restart first for one and last for the other. Make the two changes in two updates.",
    );
  });
});
