import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { renderPage } from "../dashboard/render.ts";
import { OperationError, messageOf } from "../operations/errors.ts";
import { runCommand } from "./command.ts";
import { StackWatch } from "./stack-watch.ts";

const DEFAULT_SECONDS = 5;
const DEFAULT_OUTPUT = "report.html";

await runCommand({
  usage: `usage: npm run report [-- [--stack NAME] [--output FILE] [--seconds N] [--impact FILE]]
Writes the page of npm run dashboard as one file that needs nothing else: to be kept, sent, or attached to a pull request.
  --output   ${DEFAULT_OUTPUT} unless given
  --seconds  how long to look, a sample a second; ${DEFAULT_SECONDS} unless given
  --impact   shows a pending change too: FILE has what npm run --silent preview -- --json-impact printed`,
  options: {
    stack: { type: "string", short: "s" },
    output: { type: "string", short: "o", default: DEFAULT_OUTPUT },
    seconds: { type: "string", default: String(DEFAULT_SECONDS) },
    impact: { type: "string" },
  },
  failureExitCode: 1,
  run: async ({ stack, output, seconds, impact }) => {
    const samples = sampleCount(seconds);
    const watch = await StackWatch.begin(stack, impact);
    for (let taken = 1; taken < samples; taken++) {
      await sleep(1000);
      await watch.look();
    }
    await writeReport(resolve(process.env["INIT_CWD"] ?? "", output), renderPage(watch.view(), null));
    return 0;
  },
});

async function writeReport(file: string, html: string): Promise<void> {
  try {
    await writeFile(file, html);
  } catch (error) {
    throw new OperationError(`The report could not be written: ${messageOf(error)}. --output names another file.`);
  }
  console.log(`Wrote ${file}.`);
}

function sampleCount(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new OperationError(`--seconds takes a number from 1 to 9999, not ${text}.`);
}
