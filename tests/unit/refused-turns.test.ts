import { describe, expect, test } from "vitest";
import type { NodeRole } from "../../operations/observe-roles.ts";
import { turnsWithoutEnd } from "../../operations/refused-turns.ts";
import type { PendingContainer } from "../../operations/refused-turns.ts";
import { down, primary, standby } from "./role-support.ts";

/** With `primary: node-2`: standbys as in the stack file, the last of them first, and the primary last. */
const ORDER = ["node-3", "node-1", "node-2"];
const ALIVE = [primary("node-1"), standby("node-2"), standby("node-3")];
const DEAD = [down("node-1"), standby("node-2"), standby("node-3")];
const CHANGED = [standby("node-1"), primary("node-2"), standby("node-3")];

const pending = (...names: string[]): PendingContainer[] =>
  names.map((name) => ({ name, image: "postgres:17.5", nextImage: "postgres:17.6" }));

const reasonOf = (containers: readonly PendingContainer[], roles: readonly NodeRole[]): string | undefined =>
  turnsWithoutEnd("node-2", ORDER, containers, roles);

describe("containers that are replaced while node-2 is to become the primary", () => {
  test("hold up a switchover where one of them waits for the primary of today to stream", () => {
    const reason = reasonOf(pending("node-1", "node-2", "node-3"), ALIVE);
    expect(reason).toContain("node-2 would become the primary in place of node-1");
    expect(reason).toContain("node-2 (postgres:17.5 to postgres:17.6)");
    expect(reason).toContain(
      "first with `primary: node-1`, which replaces the containers, then with `primary: node-2`",
    );
  });

  test("hold up a failover where the dead primary is one of them, or comes before one", () => {
    for (const names of [["node-1"], ["node-2"], ["node-1", "node-2", "node-3"]])
      expect(reasonOf(pending(...names), DEAD)).toContain("node-2 would take the place of node-1");
    expect(reasonOf(pending("node-1", "node-2"), DEAD)).toContain(
      "these containers as they are (in `nodes`: `image: postgres:17.5` of node-1, `image: postgres:17.5` of node-2)",
    );
  });

  test("are named without an image where that stays", () => {
    const ports = [{ name: "node-2", image: "postgres:17", nextImage: "postgres:17" }];
    expect(reasonOf(ports, DEAD)).toContain("the container of node-2 is replaced");
    expect(reasonOf(ports, DEAD)).toContain("and these containers as they are, then");
  });

  test.each<[string, readonly string[], readonly NodeRole[]]>([
    ["a standby has its turn before the primary of today", ["node-3"], ALIVE],
    ["the primary of today has its own turn, which waits for standbys only", ["node-1", "node-3"], ALIVE],
    ["a standby has its turn before the dead primary", ["node-3"], DEAD],
    ["node-2 is the primary already", ["node-1", "node-2", "node-3"], CHANGED],
  ])("hold up nothing where %s", (_title, names, roles) => {
    expect(reasonOf(pending(...names), roles)).toBeUndefined();
  });

  test("hold up nothing where the primary of today leaves with this update", () => {
    expect(turnsWithoutEnd("node-2", ["node-3", "node-2"], pending("node-2"), ALIVE)).toBeUndefined();
  });
});
