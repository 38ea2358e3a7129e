import { type Finding, problem, warning } from "../findings.ts";
import type { KeyPath } from "../key-path.ts";
import { shown } from "../shown.ts";
import type { Check } from "./check.ts";

/** The role with which the provider itself logs in. */
export const PROVIDER_ROLE = "pgtopology";
export const SUPERUSER = "postgres";

/** Names that mean something else where they would be used. */
const HBA_WORDS: ReadonlySet<string> = new Set(["all", "replication", "sameuser", "samerole", "samegroup"]);
const OWN_DATABASES: ReadonlySet<string> = new Set(["postgres", "template0", "template1"]);
const RESERVED_ROLES: ReadonlySet<string> = new Set(["public", "none"]);

/** Databases and roles have names that are free for them. */
export const checkNames: Check = ({ database, replication }) => {
  const findings = [
    ...nameFindings(["database", "name"], database?.name, databaseFault),
    ...nameFindings(["database", "owner"], database?.owner, roleFault),
    ...nameFindings(["replication", "user"], replication?.user, roleFault),
  ];
  if (database?.owner === undefined || database.owner !== replication?.user) return findings;
  const what = `${shown(replication.user)} is the owner of the database too`;
  const fix = "Give the replication a role of its own: it may read everything there is, and needs no database.";
  return [...findings, problem(["replication", "user"], { what, fix })];
};

function nameFindings(
  path: KeyPath,
  name: string | undefined,
  faultOf: (name: string) => string | null,
): readonly Finding[] {
  const fault = name === undefined ? null : faultOf(name);
  return fault === null ? [] : [problem(path, { what: `${shown(name)} ${fault}`, fix: "Choose another name." })];
}

function databaseFault(name: string): string | null {
  if (OWN_DATABASES.has(name)) return "is a database of PostgreSQL's own";
  return reservedFault(name);
}

function roleFault(name: string): string | null {
  if (name === SUPERUSER) return "is the superuser, which is not reachable over the network";
  if (RESERVED_ROLES.has(name)) return "is not allowed as a role's name by PostgreSQL";
  return reservedFault(name);
}

function reservedFault(name: string): string | null {
  if (name === PROVIDER_ROLE) return "is the name of the role with which this program logs in";
  if (name.startsWith("pg_")) return "begins with pg_, which PostgreSQL keeps for itself";
  return HBA_WORDS.has(name) ? "is a word with a meaning of its own in pg_hba.conf" : null;
}

/** The user's own rules open no way that the topology keeps closed. */
export const checkAccessRules: Check = ({ accessRules, replication }) =>
  (accessRules ?? []).flatMap((rule, index) => {
    const path = ["accessRules", index];
    return [
      ...ruleFindings([...path, "database"], rule?.database, ruleDatabaseFault),
      ...ruleFindings([...path, "user"], rule?.user, (user) => ruleUserFault(user, replication?.user)),
      ...everywhereFindings([...path, "address"], rule?.address),
    ];
  });

function ruleFindings(
  path: KeyPath,
  name: string | undefined,
  faultOf: (name: string) => string | null,
): readonly Finding[] {
  const fault = name === undefined ? null : faultOf(name);
  return fault === null
    ? []
    : [problem(path, { what: `${shown(name)} ${fault}`, fix: "Name a database and a role of your own, or all." })];
}

function ruleDatabaseFault(name: string): string | null {
  if (name === "replication") return "means replication connections in pg_hba.conf, which are the topology's own";
  return name !== "all" && HBA_WORDS.has(name) ? "is a word with a meaning of its own in pg_hba.conf" : null;
}

function ruleUserFault(name: string, replicationUser: string | undefined): string | null {
  if (name === SUPERUSER) return "is the superuser, which is not reachable over the network";
  if (name === PROVIDER_ROLE) return "is the role with which this program logs in";
  if (name === replicationUser) return "is the replication user, which standbys use and nobody else";
  if (name.startsWith("pg_")) return "begins with pg_: PostgreSQL's own roles cannot log in";
  return name !== "all" && HBA_WORDS.has(name) ? "is a word with a meaning of its own in pg_hba.conf" : null;
}

function everywhereFindings(path: KeyPath, address: string | undefined): readonly Finding[] {
  if (address === undefined || (address !== "all" && !address.endsWith("/0"))) return [];
  return [
    warning(path, {
      what: `${shown(address)} lets clients from everywhere try to log in`,
      fix: "Name the network that they come from.",
    }),
  ];
}
