import { readFile, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";

const FILE = join(import.meta.dirname, "..", "docs", "benchmarks.md");

/** In this order in the file. */
export const SECTIONS = {
  "start-up": "From nothing, and back",
  "base-backup": "Base backup",
  backup: "Backup and restore",
  changes: "Changes",
  switchover: "Switchover",
  failover: "Failover",
  "failover-asynchronous": "Failover, asynchronous",
  hosts: "Three hosts",
  status: "Status",
} as const;

export type Section = keyof typeof SECTIONS;

export const isSection = (name: string): name is Section => Object.hasOwn(SECTIONS, name);

const HEAD = [
  "# Benchmarks",
  "",
  `Made by \`npm run bench\`. Each section says how it was made; more than 1 of load average means that other work took part.`,
].join("\n");

/** How a section was made. */
export interface Conditions {
  readonly rounds: number;
  readonly image: string;
  /** Of the minute before the first round. */
  readonly loadAverageBefore: number;
}

/** Puts a section into docs/benchmarks.md as soon as it is measured; the others stay as they are. */
export async function writeSection(section: Section, conditions: Conditions, body: string): Promise<void> {
  const sections = sectionsOf(await readFile(FILE, "utf8"));
  sections.set(SECTIONS[section], `${conditionsLine(conditions)}\n\n${body}`);
  const text = Object.values(SECTIONS).flatMap((title) => {
    const found = sections.get(title);
    return found === undefined ? [] : [`## ${title}\n\n${found}`];
  });
  await writeFile(FILE, `${[HEAD, ...text].join("\n\n")}\n`);
}

const conditionsLine = ({ rounds, image, loadAverageBefore }: Conditions): string =>
  `${rounds} rounds, ${cpus().length} cores, image \`${image}\`; load average before: ${loadAverageBefore.toFixed(1)}.`;

/** Bodies by title. */
function sectionsOf(text: string): Map<string, string> {
  const parts = text.split(/^## /m).slice(1);
  return new Map(
    parts.map((part) => {
      const end = part.indexOf("\n");
      return [part.slice(0, end), part.slice(end).trim()];
    }),
  );
}
