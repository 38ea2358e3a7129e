import type { WalSender } from "./observe.ts";

export const SYNCHRONOUS_STANDBY_NAMES = "synchronous_standby_names";

/** What `synchronous_standby_names` of a node shall be, by the parameters that its files say; "": it waits for nobody. */
export const wantedNames = ({ parameters }: { readonly parameters: Readonly<Record<string, string>> }): string =>
  parameters[SYNCHRONOUS_STANDBY_NAMES] ?? "";

/** What `synchronous_standby_names` says (PostgreSQL, "synchronous_standby_names"). */
export interface SynchronousStandbys {
  /** FIRST waits for the first ones of the list, ANY for any. */
  readonly method: "FIRST" | "ANY";
  readonly count: number;
  readonly names: readonly string[];
}

/** undefined: commits wait for nobody. Without a method it is FIRST, without a number 1, as the server reads it. */
export function parseSynchronousStandbys(value: string): SynchronousStandbys | undefined {
  const [, method, count = "1", inner] = /^\s*(FIRST|ANY)?\s*(\d+)\s*\((.*)\)\s*$/i.exec(value) ?? [];
  const names = (inner ?? value)
    .split(",")
    .map((name) => name.trim().replace(/^"(.*)"$/, "$1"))
    .filter((name) => name !== "");
  if (names.length === 0) return undefined;
  return { method: method?.toUpperCase() === "ANY" ? "ANY" : "FIRST", count: Number(count), names };
}

export const formatSynchronousStandbys = ({ method, count, names }: SynchronousStandbys): string =>
  `${method} ${count} (${names.map((name) => `"${name}"`).join(", ")})`;

/** Any standby, in a list of names. */
const ANYBODY = "*";

/** What a primary waited for before it acknowledged a commit; null: for nobody. */
export interface SynchronousGuarantee {
  readonly count: number;
  readonly candidates: readonly string[];
}

/**
 * Whether a commit that waited for `synchronous_standby_names` as given is on as many candidates as a guarantee says.
 * Others that are named, as a backup server, may be among those that confirmed it.
 */
export function promises(value: string, { count, candidates }: SynchronousGuarantee): boolean {
  const waitsFor = parseSynchronousStandbys(value);
  if (waitsFor === undefined) return false;
  const others = waitsFor.names.filter((name) => !candidates.includes(name));
  return waitsFor.count - others.length >= count;
}

/** `synchronous_standby_names` by the text of a configuration file: the last line counts. undefined: it has none. */
export function standbyNamesIn(conf: string): string | undefined {
  const line = new RegExp(`^\\s*${SYNCHRONOUS_STANDBY_NAMES}\\s*=?\\s*'((?:[^'\\n]|'')*)'`, "gim");
  return [...conf.matchAll(line)].at(-1)?.[1]?.replaceAll("''", "'");
}

/** Whether ALTER SYSTEM has changed whom commits wait for, by the text of a server's postgresql.auto.conf. */
export const isAlteredBySystem = (autoConf: string): boolean =>
  new RegExp(`^\\s*${SYNCHRONOUS_STANDBY_NAMES}\\s*=`, "im").test(autoConf);

/** Standbys that can confirm a commit now: of those that are waited for, who streams. */
const confirming = ({ names }: SynchronousStandbys, senders: readonly WalSender[]): string[] =>
  senders
    .filter(({ state }) => state === "streaming")
    .map(({ applicationName }) => applicationName)
    .filter((name) => names.includes(name) || names.includes(ANYBODY));

/** Why commits wait until somebody comes back; undefined: as many standbys stream as are waited for. */
export function missingStandbys(
  value: string,
  senders: readonly WalSender[],
): { readonly needed: number; readonly present: number; readonly names: readonly string[] } | undefined {
  const wanted = parseSynchronousStandbys(value);
  if (wanted === undefined) return undefined;
  const present = confirming(wanted, senders).length;
  return present >= wanted.count ? undefined : { needed: wanted.count, present, names: wanted.names };
}

/** What is left to wait for when only those that can confirm a commit are; "": nobody is left. */
export function withoutMissing(value: string, senders: readonly WalSender[]): string {
  const wanted = parseSynchronousStandbys(value);
  if (wanted === undefined) return "";
  const present = confirming(wanted, senders);
  const names = present.length === 0 ? [] : wanted.names.filter((name) => name === ANYBODY || present.includes(name));
  if (names.length === 0) return "";
  return formatSynchronousStandbys({ ...wanted, count: Math.min(wanted.count, present.length), names });
}
