import { readFileSync } from "node:fs";
import Handlebars from "handlebars";

export type TemplateName =
  | "postgresql.conf"
  | "replication.conf"
  | "pg_hba.conf"
  | "guard.sh"
  | "peers"
  | "archive-wal.sh"
  | "record-archive-need.sh"
  | "initdb.sh"
  | "base-backup.sh"
  | "check-parameters.sh"
  | "barman.conf"
  | "backup-turn.sh"
  | "take-backup.sh"
  | "backup-metrics.py"
  | "rejoin.sh"
  | "restore.sh"
  | "restored-server.sh"
  | "find-in-wal.sh"
  | "barman-catalogue.sh"
  | "bootstrap.sh"
  | "prometheus.yml"
  | "queries.yml"
  | "facts.yml";

const sourceOf = (name: string): string => readFileSync(new URL(`${name}.hbs`, import.meta.url), "utf8");

const handlebars = Handlebars.create();
handlebars.registerPartial("take-base-backup.sh", sourceOf("take-base-backup.sh"));
handlebars.registerHelper("conf", (value: unknown) => quoteForConf(given(value)));
handlebars.registerHelper("hba", (value: unknown) => quoteForHba(given(value)));
handlebars.registerHelper("sh", (value: unknown) => quoteForShell(given(value)));
handlebars.registerHelper("yaml", (value: unknown) => JSON.stringify(given(value)));
handlebars.registerHelper("python", (value: unknown) => JSON.stringify(given(value)));
handlebars.registerHelper("column", (value: unknown, width: number) => String(given(value)).padEnd(width));
const each = handlebars.helpers["each"];
handlebars.registerHelper("each", function (this: unknown, list: unknown, options: unknown): unknown {
  return each?.call(this, given(list), options);
});

/** Handlebars is strict about what stands by itself, but gives a helper nothing for a value that is not there. */
function given(value: unknown): unknown {
  if (value === undefined) throw new Error("the template names a value that is not given");
  return value;
}

const compiled = new Map<TemplateName, HandlebarsTemplateDelegate>();

/**
 * The text of one template with its values put in, the same bytes for the same values.
 * @throws when the template names a value that is not given: nothing is ever rendered as an empty string by mistake.
 */
export function render(name: TemplateName, values: object): string {
  const template = compiled.get(name) ?? compile(name);
  return template(values);
}

function compile(name: TemplateName): HandlebarsTemplateDelegate {
  const template = handlebars.compile(sourceOf(name), { strict: true, noEscape: true });
  compiled.set(name, template);
  return template;
}

/** A value of postgresql.conf, always quoted (PostgreSQL, "Setting Parameters": '' and \ are escapes). */
export function quoteForConf(value: unknown): string {
  return `'${String(value).replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}

const HBA_KEYWORDS = new Set(["all", "replication", "samenet", "samehost", "sameuser", "samerole"]);

/** A field of pg_hba.conf: quoted, unless it is a keyword that would lose its meaning between quotes. */
export function quoteForHba(value: unknown): string {
  const text = String(value);
  return HBA_KEYWORDS.has(text) || text === "" ? text : `"${text.replaceAll('"', '""')}"`;
}

/** One word of a POSIX shell. */
export function quoteForShell(value: unknown): string {
  return `'${String(value).replaceAll("'", `'\\''`)}'`;
}
