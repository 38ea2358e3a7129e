import { problem } from "../findings.ts";
import { shown } from "../shown.ts";
import type { Check } from "./check.ts";

/** Options of initdb that would work against the plan, and why. */
const OWNED: readonly (readonly [options: readonly string[], reason: string])[] = [
  [["-D", "--pgdata"], "the data directory lies where the clones expect it"],
  [["-X", "--waldir"], "the WAL lies in the data volume, so that a clone is moved into place by one rename"],
  [["-U", "--username"], "the superuser is called postgres"],
  [["-W", "--pwprompt", "--pwfile"], "passwords are set under passwords"],
  [["-A", "--auth", "--auth-host", "--auth-local"], "pg_hba.conf follows from the plan, and from accessRules"],
  [["-c", "--set"], "parameters are set under parameters"],
  [["-N", "--no-sync", "-S", "--sync-only"], "a new cluster is written to disk before it counts as made"],
  [["-s", "--show", "-V", "--version", "-?", "--help"], "it makes no cluster"],
];

/** The arguments leave alone what the plan decides. Unknown ones are left to initdb. */
export const checkInitdb: Check = ({ initdb }) =>
  (initdb?.arguments ?? []).flatMap((argument, index) => {
    const reason = argument === undefined ? undefined : ownedReason(argument);
    if (reason === undefined) return [];
    return [
      problem(["initdb", "arguments", index], {
        what: `${shown(argument)} cannot be given: ${reason}`,
        fix: "Remove it.",
      }),
    ];
  });

function ownedReason(argument: string): string | undefined {
  return OWNED.find(([options]) => options.some((option) => isOption(argument, option)))?.[1];
}

/** `--pgdata`, `--pgdata=x` and `--pgdata x` in one text; `-D`, `-Dx`. */
function isOption(argument: string, option: string): boolean {
  if (!option.startsWith("--")) return argument.startsWith(option);
  return argument === option || argument.startsWith(`${option}=`) || argument.startsWith(`${option} `);
}
