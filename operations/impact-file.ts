import { IMPACT_LEVELS } from "./impact.ts";
import type { Impact, ImpactLevel } from "./impact.ts";

/** Names the file that the provider appends to; the engine hands its environment on to it. */
export const IMPACT_FILE_VARIABLE = "PG_TOPOLOGY_IMPACT_FILE";

/** One line of that file. */
export interface ImpactRecord extends Impact {
  /** Name of the Pulumi resource that acts. */
  readonly resource: string;
  /** change: of the stack file; drift: by hand, or by an interruption; check: it is refused. */
  readonly source: "change" | "drift" | "check";
}

/** What `npm run --silent preview -- --json-impact` prints: docs/reference/preview.md. */
export interface ImpactReport {
  readonly impact: ImpactLevel;
  readonly findings: readonly ImpactRecord[];
}

export const parseRecords = (text: string): ImpactRecord[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as ImpactRecord);

/** The strongest of all. */
export const strongest = (impacts: readonly Impact[]): ImpactLevel =>
  impacts.map(({ level }) => level).toSorted((a, b) => rank(b) - rank(a))[0] ?? "none";

export const exceeds = (level: ImpactLevel, limit: ImpactLevel): boolean => rank(level) > rank(limit);

const rank = (level: ImpactLevel): number => IMPACT_LEVELS.indexOf(level);
