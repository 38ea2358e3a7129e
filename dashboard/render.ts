import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import Handlebars from "handlebars";
import type { PageView } from "./page-view.ts";

type SectionName = "summary" | "problems" | "topology" | "impact" | "nodes" | "events";

const handlebars = Handlebars.create();
const template = (name: string): HandlebarsTemplateDelegate =>
  handlebars.compile(readFileSync(new URL(`templates/${name}.html.hbs`, import.meta.url), "utf8"), { strict: true });
const compiled = new Map<string, HandlebarsTemplateDelegate>();

function templateOf(name: string): HandlebarsTemplateDelegate {
  const known = compiled.get(name) ?? template(name);
  compiled.set(name, known);
  return known;
}

/** HTML of one section of the page. All values are escaped. */
export const renderSection = (name: SectionName, values: object): string => templateOf(name)(values);

/**
 * A page that needs no other file and nothing from the net. Its policy lets no script run but its own two, whatever
 * the values are.
 * @param refreshSeconds how often the page asks for /view.json; null: never, it stays as it is.
 */
export function renderPage(view: PageView, refreshSeconds: number | null): string {
  const assets = pageAssets();
  const policy = [
    ...["default-src 'none'", `script-src ${assets.scripts.map(hashSource).join(" ")}`],
    ...[`style-src ${hashSource(assets.style)}`, `connect-src ${refreshSeconds === null ? "'none'" : "'self'"}`],
    ...["img-src data:", "base-uri 'none'", "form-action 'none'"],
  ].join("; ");
  return templateOf("page")({ view, ...assets, policy, refreshSeconds, data: jsonForHtml(view) });
}

const hashSource = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** No "<" is left that could end the element which the text stands in. */
const jsonForHtml = (value: unknown): string => JSON.stringify(value).replaceAll("<", "\\u003c");

interface PageAssets {
  readonly style: string;
  readonly scripts: readonly string[];
}

let assets: PageAssets | undefined;

/** Read once: of the chart library, and our own. */
function pageAssets(): PageAssets {
  const library = dirname(createRequire(import.meta.url).resolve("uplot"));
  const own = join(import.meta.dirname, "browser");
  const text = (folder: string, file: string): string => readFileSync(join(folder, file), "utf8");
  assets ??= {
    style: text(library, "uPlot.min.css") + text(own, "page.css"),
    scripts: [text(library, "uPlot.iife.min.js"), text(own, "page.js")],
  };
  return assets;
}
