import type { ImpactRecord, ImpactReport } from "./impact-file.ts";

/** What an update would do, for people who read a pull request and not a log. */
export const impactMarkdown = ({ impact, findings }: ImpactReport): string =>
  [`### Impact of this update: ${impact}`, "", ...(findings.length === 0 ? [NOTHING] : table(findings)), ""].join("\n");

const NOTHING = "Nothing is done to any server.";

const table = (findings: readonly ImpactRecord[]): string[] => [
  "| impact | nodes | what | found by |",
  "| --- | --- | --- | --- |",
  ...findings.map(({ level, nodes, message, source }) => row([level, nodes.join(", "), message, source])),
];

const row = (cells: readonly string[]): string => `| ${cells.map(asText).join(" | ")} |`;

/** Some of it is what servers and stack files say: none of that is taken for markup. */
const asText = (cell: string): string =>
  cell
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll(/[\\`*_[\]|@#]/g, (mark) => `&#${mark.charCodeAt(0)};`)
    .replaceAll(/\s*\n\s*/g, "<br>");
