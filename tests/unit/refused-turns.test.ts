import { describe, expect, test } from "vitest";
import { newLogins } from "../../operations/new-logins.ts";
import type { Logins } from "../../operations/new-logins.ts";
import type { NodeRole } from "../../operations/observe-roles.ts";
import { turnsWithNewLogins, turnsWithoutEnd } from "../../operations/refused-turns.ts";
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

describe("containers that are replaced while what their servers log in with changes", () => {
  const changed = ["`passwords.operator`"];

  test("would keep the primary waiting, whose roles are altered after its own turn", () => {
    expect(turnsWithNewLogins(changed, ORDER, pending("node-3", "node-2"))).toBe(
      "`passwords.operator` would change in the same update in which the containers of node-3 (postgres:17.5 to postgres:17.6), node-2 (postgres:17.5 to postgres:17.6) are replaced: standbys would log in with what the primary takes only after its own turn, which waits for them. Run two updates: first with `passwords.operator` as before, which replaces the containers, then with the new.",
    );
  });

  test.each<[string, readonly string[], readonly string[], readonly string[]]>([
    ["nothing of that changes", [], ORDER, ["node-3", "node-1", "node-2"]],
    ["the primary has no turn: it takes the new ones meanwhile", changed, ORDER, ["node-3", "node-1"]],
    ["the primary waits for nobody", changed, ["node-2"], ["node-2"]],
  ])("keep nobody waiting where %s", (_title, what, order, names) => {
    expect(turnsWithNewLogins(what, order, pending(...names))).toBeUndefined();
  });
});

describe("what servers log in with", () => {
  const LOGINS: Logins = {
    replicationUser: "repuser",
    replicationPassword: { version: 1 },
    operatorPassword: { version: 1 },
  };

  test.each<[string, Partial<Logins>, readonly string[]]>([
    ["is the same", {}, []],
    ["has another user", { replicationUser: "streamer" }, ["`replication.user`"]],
    ["has another version", { replicationPassword: { version: 2 } }, ["`passwords.replication`"]],
    ["is chosen instead of generated", { replicationPassword: "correct horse" }, ["`passwords.replication`"]],
    ["has another version for the operator", { operatorPassword: { version: 2 } }, ["`passwords.operator`"]],
  ])("%s", (_title, part, changed) => {
    expect(newLogins(LOGINS, { ...LOGINS, ...part })).toEqual(changed);
  });

  test("of two chosen passwords the texts count", () => {
    const chosen = { ...LOGINS, replicationPassword: "correct horse" };
    expect(newLogins(chosen, chosen)).toEqual([]);
    expect(newLogins(chosen, { ...LOGINS, replicationPassword: "battery staple" })).toEqual([
      "`passwords.replication`",
    ]);
  });

  test("nobody knows where an older version has left the state", () => {
    expect(newLogins(undefined, LOGINS)).toEqual([]);
  });
});
