import { describe, expect, test } from "vitest";
import type { FoundRole } from "../../operations/access.ts";
import { roleDifference } from "../../operations/roles.ts";
import type { Role } from "../../operations/roles.ts";
import { scramVerifier } from "../../operations/scram.ts";

const PASSWORD = "correct horse battery";

const ROLE: Role = {
  name: "pgtopology",
  replication: true,
  connectionLimit: 10,
  memberOf: ["pg_monitor", "pg_checkpoint"],
  executes: [],
  reads: [],
  settings: { statement_timeout: "0" },
};

const FOUND: FoundRole = {
  login: true,
  replication: true,
  superuser: false,
  creates_databases: false,
  creates_roles: false,
  bypasses_row_security: false,
  connection_limit: 10,
  valid_until: null,
  verifier: scramVerifier(PASSWORD),
  member_of: ["pg_checkpoint", "pg_monitor", "analysts"],
  settings: ["statement_timeout=0"],
};

describe("a role as it was found", () => {
  test("differs in nothing, whatever else it is a member of", () => {
    expect(roleDifference(FOUND, ROLE, PASSWORD)).toBeUndefined();
  });

  test("may not be there at all", () => {
    expect(roleDifference(undefined, ROLE, PASSWORD)).toBe("does not exist");
  });

  test.each<[string, Partial<FoundRole>]>([
    ["may not log in", { login: false }],
    ["is a superuser", { superuser: true }],
    ["may create databases", { creates_databases: true }],
    ["may create roles", { creates_roles: true }],
    ["bypasses row security", { bypasses_row_security: true }],
    ["may not replicate", { replication: false }],
    ["has connection limit -1", { connection_limit: -1 }],
    ["is valid until 2020-01-01T00:00:00+00:00", { valid_until: "2020-01-01T00:00:00+00:00" }],
    ["is no member of pg_monitor", { member_of: ["pg_checkpoint"] }],
    ["has not statement_timeout=0 as a setting of its own", { settings: [] }],
    ["has another password", { verifier: scramVerifier("battery staple") }],
    ["has another password", { verifier: null }],
  ])("%s", (difference, part) => {
    expect(roleDifference({ ...FOUND, ...part }, ROLE, PASSWORD)).toBe(difference);
  });
});
