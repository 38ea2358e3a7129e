import { didYouMean } from "../did-you-mean.ts";
import { type Finding, problem, warning } from "../findings.ts";
import type { KeyPath } from "../key-path.ts";
import { kindOfParameter, knownParameters } from "../known-parameters.ts";
import { ownershipOf } from "../owned-parameters.ts";
import { formatOf, isFalse, isTrue, parameterText, timeMilliseconds, withSpeltUnit } from "../parameter-values.ts";
import type { StackFileDraft } from "../stack-file.ts";
import { slotsNeeded, walSendersNeeded } from "../topology-needs.ts";
import { shown } from "../shown.ts";
import { type Check, counted } from "./check.ts";

const FEWEST_CONNECTIONS = 10;
const DEFAULT_SUPERUSER_CONNECTIONS = 3;
const DEFAULT_CONNECTIONS = 100;
/** Two names of real parameters may be three edits apart. */
const MOST_EDITS = 2;

/** The user's own parameters are the user's to set, have values that the server takes, and do not undermine the topology. */
export const checkParameters: Check = (file) => {
  const entries = Object.entries(file.parameters ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, text: parameterText(value) }],
  );
  return [
    ...entries.flatMap(({ name, text }) => parameterFindings(name, text, file)),
    ...connectionFindings(new Map(entries.map(({ name, text }) => [name, text]))),
  ];
};

function parameterFindings(name: string, text: string, file: StackFileDraft): readonly Finding[] {
  const path = ["parameters", name];
  const ownership = ownershipOf(name);
  if (ownership !== null) {
    // The value is not shown: primary_conninfo or ssl_passphrase_command may hold a password.
    return [problem(path, { what: `it is owned by the plan: ${ownership.reason}`, fix: ownership.instead })];
  }
  const malformed = slipFindings(path, name, text);
  return malformed.length > 0 ? malformed : meaningFindings(path, name, text, file);
}

/** Slips of the pen: names and values that the server would not take. */
function slipFindings(path: KeyPath, name: string, text: string): readonly Finding[] {
  const kind = kindOfParameter(name);
  if (kind === null) return unknownFindings(path, name);
  const format = formatOf(kind);
  if (format === null || format.accepts(text)) return [];
  const meant = withSpeltUnit(kind, text);
  const fix = meant === null ? "See the parameter in PostgreSQL's documentation." : `Did you mean ${meant}?`;
  return [problem(path, { what: `${shown(text)} is not ${format.what}`, allowed: format.allowed, fix })];
}

function unknownFindings(path: KeyPath, name: string): readonly Finding[] {
  // Parameters of extensions have a dot in their names, and are known to the extension only.
  const meant = name.includes(".") ? null : didYouMean(name, knownParameters(), MOST_EDITS);
  return meant === null
    ? []
    : [problem(path, { what: "PostgreSQL has no such parameter", fix: `Did you mean ${meant}?` })];
}

/** Values that the server would take, and the topology cannot live with. */
function meaningFindings(path: KeyPath, name: string, text: string, file: StackFileDraft): readonly Finding[] {
  const refuse = (why: string, allowed: string, fix = "Remove it."): readonly Finding[] => [
    problem(path, { what: `${shown(text)} ${why}`, allowed, fix }),
  ];
  const atLeast = (least: number, why: string): readonly Finding[] => {
    if (file.nodes === undefined || Number(text) >= least) return [];
    return refuse(
      `is too low: ${why}`,
      `${least} or more`,
      "Raise it, or remove it: the plan computes what is needed.",
    );
  };
  const nodes = file.nodes?.length ?? 0;
  const backup = file.backup?.enabled === true;
  switch (name) {
    case "fsync":
    case "full_page_writes":
      return isFalse(text) ? refuse("loses the database in a crash of the host", "on") : [];
    case "wal_level":
      return ["replica", "logical"].includes(text.toLowerCase())
        ? []
        : refuse("writes too little for standbys", "replica or logical");
    case "synchronous_commit":
      return synchronousCommitFindings(path, text, file);
    case "default_transaction_read_only":
    case "transaction_read_only":
      return isTrue(text) ? refuse("hides the primary: clients look for the node that takes writes", "off") : [];
    case "transaction_timeout":
      return endsLogins(text)
        ? refuse(
            "ends sessions before they have begun: to the server a login is a transaction",
            "0, or 1s and more",
            "Raise it, or remove it.",
          )
        : [];
    case "max_connections":
      return Number(text) >= FEWEST_CONNECTIONS
        ? []
        : refuse("leaves no room for the topology's own", `${FEWEST_CONNECTIONS} or more`, "Raise it, or remove it.");
    case "max_wal_senders":
      return atLeast(
        walSendersNeeded(nodes, backup),
        `with ${counted(nodes, "node")} each other one takes 3 (one to stream, two to be cloned again),${backup ? " the backup server 3," : ""} and 2 are to spare`,
      );
    case "max_replication_slots":
      return atLeast(
        slotsNeeded(nodes, backup),
        `with ${counted(nodes, "node")} each other one has a slot${backup ? ", and the backup server" : ""}`,
      );
    case "max_slot_wal_keep_size":
      if (Number(text) !== -1) return [];
      return [
        warning(path, {
          what: "-1 keeps WAL for an absent standby until the disk of the primary is full",
          fix: "Give a size, for example 10GB.",
        }),
      ];
    default:
      return pageCountFindings(path, name, text);
  }
}

/** Longer than a login takes on a machine that is busy. */
const LOGIN_MILLISECONDS = 1000;

function endsLogins(text: string): boolean {
  const milliseconds = timeMilliseconds(text);
  return milliseconds > 0 && milliseconds < LOGIN_MILLISECONDS;
}

function synchronousCommitFindings(path: KeyPath, text: string, { replication }: StackFileDraft): readonly Finding[] {
  const mode = replication?.synchronous?.mode;
  if (mode === undefined || mode === "async") return [];
  if (!isFalse(text) && text.toLowerCase() !== "local") return [];
  return [
    problem(path, {
      what: `${shown(text)} waits for no standby, against replication.synchronous.mode ${mode}`,
      allowed: "on, remote_apply or remote_write",
      fix: "Remove it, or choose mode async; a transaction that may be lost can still set it for itself.",
    }),
  ];
}

/** 128 is the classic slip for 128MB. */
function pageCountFindings(path: KeyPath, name: string, text: string): readonly Finding[] {
  if (kindOfParameter(name) !== "pages" || !/^\+?[1-9]\d*$/.test(text.trim())) return [];
  return [
    warning(path, {
      what: `${shown(Number(text))} without a unit counts pages of 8 kB, which makes ${Number(text) * 8}kB`,
      fix: "Write the unit.",
    }),
  ];
}

/** Connections that are set aside must leave some for everybody else, or the server does not start. */
function connectionFindings(parameters: ReadonlyMap<string, string>): readonly Finding[] {
  const [all, superuser, reserved] = ["max_connections", "superuser_reserved_connections", "reserved_connections"].map(
    (name) => parameters.get(name),
  );
  if (superuser === undefined && reserved === undefined) return [];
  const most = all === undefined ? DEFAULT_CONNECTIONS : Number(all);
  const setAside = Number(superuser ?? DEFAULT_SUPERUSER_CONNECTIONS) + Number(reserved ?? 0);
  if (!(setAside >= most)) return [];
  const name = superuser === undefined ? "reserved_connections" : "superuser_reserved_connections";
  return [
    problem(["parameters", name], {
      what: `${setAside} connections are set aside, out of ${most} in all`,
      allowed: `superuser_reserved_connections and reserved_connections together below max_connections (${most})`,
      fix: "Lower it, or raise max_connections.",
    }),
  ];
}
