import { readFileSync } from "node:fs";
import { join } from "node:path";
import { format } from "prettier";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { PROBLEM_KINDS } from "../../operations/advice.ts";
import { STATUS_VERSION, stackStatus } from "../../operations/status-schema.ts";
import { SLOT_WAL_MEGABYTES, parameterLayers } from "../../plan/parameters.ts";
import type { Parameter } from "../../plan/parameters.ts";
import { PROJECT_DIRECTORY } from "../support/project.ts";
import { schemaRows } from "../support/schema-rows.ts";
import { settingsOf } from "../unit/settings-support.ts";

interface ConfigurationKey {
  readonly description: string;
  readonly default: unknown;
}

const NOTE = "<!-- Written by `npm run check -- -u` from what the program itself reads. -->";

/** Pages of docs/reference/ are snapshots: what is declared and what is documented cannot part. */
async function expectPage(name: string, lines: readonly string[]): Promise<void> {
  const page = await format([NOTE, "", ...lines].join("\n"), {
    parser: "markdown",
    printWidth: 120,
    proseWrap: "always",
  });
  await expect(page).toMatchFileSnapshot(join(PROJECT_DIRECTORY, "docs", "reference", name));
}

const row = (...cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] => [
  row(...head),
  row(...head.map(() => "---")),
  ...rows.map((cells) => row(...cells)),
];

test("docs/reference/stack-file.md has every key, with its description and default", async () => {
  const pulumi = parse(readFileSync(join(PROJECT_DIRECTORY, "Pulumi.yaml"), "utf8")) as {
    config: Record<string, ConfigurationKey>;
  };
  const keys = Object.entries(pulumi.config).flatMap(([key, { description, default: value }]) => [
    ...["", `## \`${key}\``, "", description.trim()],
    ...(value === "" || description.includes(", required.")
      ? []
      : ["", `Default: \`${typeof value === "string" ? value : JSON.stringify(value)}\``]),
  ]);
  await expectPage("stack-file.md", [
    ...["# Keys of a stack file", ""],
    "Each stands in `Pulumi.STACK.yaml` below `config:`, as `pg-topology:KEY`.",
    ...keys,
  ]);
});

test("docs/reference/parameters.md has every parameter that the topology decides", async () => {
  const nodes = [{ name: "node-1" }, { name: "node-2" }, { name: "node-3" }];
  const { defaults, computed, owned } = parameterLayers(
    settingsOf({ primary: "node-1", nodes, archiving: { enabled: true } }),
  );
  const rows = (parameters: readonly Parameter[]): string[][] =>
    parameters
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, value, reason }) => [`\`${name}\``, `\`${value}\``, reason]);
  const head = ["parameter", "value", "why"];
  await expectPage("parameters.md", [
    "# Parameters that the topology decides",
    "",
    "Of three nodes with archiving. A stack file may set those of the first table in `parameters`, and any other that " +
      "PostgreSQL has.",
    "",
    "## Unless the stack file sets them",
    "",
    ...table(head, rows([...defaults, ...computed])),
    "",
    "`max_slot_wal_keep_size` is half of the room that there is for WAL on the node's volume when its server starts, and " +
      `${SLOT_WAL_MEGABYTES} MB at most: a standby that is gone must not fill the disk of the primary.`,
    "",
    "## Owned",
    "",
    "A stack file that sets one of these, or one that the roles of nodes follow from, is refused with the reason.",
    "",
    ...table(head, rows(owned)),
  ]);
});

test("docs/reference/status.md has every key of the status", async () => {
  await expectPage("status.md", [
    "# What a status tells programs",
    "",
    "`npm run --silent status -- --json` prints one JSON object, with `--watch` one a line; without `--silent` npm " +
      "prints the name of the script before it. It reads the labels of Docker objects " +
      "and asks the servers; it needs no Pulumi state, and knows nothing that only the stack file says: which node " +
      "shall be the primary, what files shall contain, how long the writes waited at a switchover (output " +
      "[`lastSwitchover`](outputs.md)).",
    "",
    `This is version ${STATUS_VERSION}. Keys may be added to it; when one goes or changes its meaning, the number changes.`,
    "",
    "Exit code 0: healthy; 1: degraded; 2: down, or there is nothing to be asked (then the reason is on standard error).",
    "",
    ...table(["key", "what", ""], schemaRows(stackStatus)),
  ]);
});

/** What only alerts tell. */
const ALERT_SECTIONS = ["primary-unseen", "backup-too-old", "replay-lag", "disk-fills", "not-watched"];

test("docs/runbook.md has a section for each kind of problem, in the order in which a status tells them, and for each alert", () => {
  const page = readFileSync(join(PROJECT_DIRECTORY, "docs", "runbook.md"), "utf8");
  const sections = page.split(/^## /m).slice(1);
  expect(sections.map((section) => section.slice(0, section.indexOf("\n")))).toEqual([
    ...PROBLEM_KINDS,
    ...ALERT_SECTIONS,
  ]);
  for (const section of sections) expect(section).toMatch(/\*\*See\.\*\*[^]*\*\*Decide\.\*\*[^]*\*\*Do\.\*\*/);
});

test("every alert leads to a section of docs/runbook.md, and stands in docs/monitoring.md", () => {
  const read = (...path: string[]): string => readFileSync(join(PROJECT_DIRECTORY, ...path), "utf8");
  const { groups } = parse(read("config-templates", "alerts.yml")) as {
    groups: { rules: { alert?: string; annotations?: { runbook: string } }[] }[];
  };
  const rules = groups.flatMap((group) => group.rules).filter(({ alert }) => alert !== undefined);
  expect(rules.length).toBeGreaterThan(0);
  const pages = { runbook: read("docs", "runbook.md"), monitoring: read("docs", "monitoring.md") };
  for (const { alert = "", annotations } of rules) {
    const section = annotations?.runbook.replace("docs/runbook.md#", "") ?? "";
    expect(pages.runbook).toContain(`\n## ${section}\n`);
    expect(pages.monitoring).toContain(`| \`${alert}\``);
    expect(pages.monitoring).toContain(`(runbook.md#${section})`);
  }
});
