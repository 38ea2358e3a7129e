import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { execa } from "execa";
import { OperationError } from "../operations/errors.ts";
import { IMPACT_FILE_VARIABLE, exceeds, parseRecords, strongest } from "../operations/impact-file.ts";
import type { ImpactReport } from "../operations/impact-file.ts";
import { impactMarkdown } from "../operations/impact-markdown.ts";
import { runCommand } from "./command.ts";
import { PROJECT_DIRECTORY } from "./project.ts";

const LIMITS = ["none", "reload", "restart", "switchover"] as const;
type Limit = (typeof LIMITS)[number];

/** The update would do more than --max-impact allows. */
const EXCEEDED_EXIT_CODE = 3;

const OWN_OPTIONS = {
  "json-impact": { type: "boolean" },
  "impact-markdown": { type: "string" },
  "max-impact": { type: "string" },
} as const;

interface OwnOptions {
  readonly json: boolean;
  /** undefined: no file is written. */
  readonly markdownFile: string | undefined;
  readonly limit: Limit | undefined;
}

await runCommand({
  usage: `usage: npm run preview [-- [--json-impact] [--impact-markdown FILE] [--max-impact ${LIMITS.join("|")}] [ARGUMENT...]]
Runs \`pulumi preview ARGUMENT...\`. With --json-impact its own output goes to standard error, and what it found goes to
standard output as JSON, where npm run --silent preview keeps npm's own lines out of it. With --impact-markdown FILE has the
same for people, as a table. Exit code: that of pulumi, or ${EXCEEDED_EXIT_CODE} where the impact exceeds --max-impact.`,
  options: {},
  passesOn: true,
  failureExitCode: 1,
  run: async (_values, args) => {
    const { json, markdownFile, limit, rest } = ownOptions(args);
    const { exitCode, report } = await preview(rest, json);
    if (json) console.log(JSON.stringify(report, null, 2));
    if (markdownFile !== undefined) await writeFile(markdownFile, impactMarkdown(report));
    if (exitCode !== 0 || limit === undefined || !exceeds(report.impact, limit)) return exitCode;
    console.error(`The impact of this update is "${report.impact}", and --max-impact allows "${limit}".`);
    return EXCEEDED_EXIT_CODE;
  },
});

/** Everything that is not this command's own goes to pulumi as it is. */
function ownOptions(args: readonly string[]): OwnOptions & { readonly rest: string[] } {
  const { values, tokens } = parseArgs({
    args: [...args],
    options: OWN_OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const own = tokens.flatMap((token) => {
    if (token.kind !== "option" || !(token.name in OWN_OPTIONS)) return [];
    return token.value !== undefined && !token.inlineValue ? [token.index, token.index + 1] : [token.index];
  });
  return {
    json: values["json-impact"] === true,
    markdownFile: fileOf(values["impact-markdown"]),
    limit: limitOf(values["max-impact"]),
    rest: args.filter((_argument, index) => !own.includes(index)),
  };
}

function fileOf(name: string | boolean | undefined): string | undefined {
  if (name === undefined || (typeof name === "string" && name !== "")) return name;
  throw new OperationError("--impact-markdown takes the name of the file to write.");
}

function limitOf(text: string | boolean | undefined): Limit | undefined {
  if (text === undefined) return undefined;
  const limit = LIMITS.find((candidate) => candidate === text);
  if (limit !== undefined) return limit;
  throw new OperationError(`--max-impact takes one of ${LIMITS.join(", ")}, not ${String(text)}.`);
}

async function preview(args: readonly string[], json: boolean): Promise<{ exitCode: number; report: ImpactReport }> {
  const directory = await mkdtemp(join(tmpdir(), "pg-topology-preview-"));
  const file = join(directory, "impact.jsonl");
  try {
    const { exitCode = 1 } = await execa("pulumi", ["preview", ...args], {
      cwd: PROJECT_DIRECTORY,
      env: { [IMPACT_FILE_VARIABLE]: file },
      stdin: "inherit",
      stdout: json ? process.stderr : "inherit",
      stderr: "inherit",
      reject: false,
    });
    const findings = parseRecords(await readFile(file, "utf8").catch(() => ""));
    return { exitCode, report: { impact: exitCode === 0 ? strongest(findings) : "refused", findings } };
  } finally {
    await rm(directory, { recursive: true });
  }
}
