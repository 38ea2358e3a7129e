import { setTimeout as sleep } from "node:timers/promises";
import { OperationError } from "../operations/errors.ts";
import type { Condition } from "../operations/status-schema.ts";
import { runCommand } from "./command.ts";
import { REFRESH_SECONDS, statusInTime } from "./stack-status.ts";
import { statusReport } from "./status-report.ts";

/** Of a terminal: to its first place, and nothing below it. */
const TO_THE_TOP = "\u001b[H\u001b[J";

const EXIT_CODES: Readonly<Record<Condition, number>> = { healthy: 0, degraded: 1, down: 2 };

await runCommand({
  usage: `usage: npm run status [-- [--stack NAME] [--json] [--watch]]
Shows a stack (the only one of this project on the engine, unless one is named) as the engine and the servers see it; no
Pulumi, no passphrase. Exit code: 0 all is well, 1 the stack is degraded, 2 no node takes writes or none can be asked.
  --json   the same for programs (docs/reference/status.md), with --watch one object a line; npm run --silent status
           keeps npm's own lines out of it
  --watch  asks again every ${REFRESH_SECONDS} seconds, until Ctrl-C`,
  options: {
    stack: { type: "string", short: "s" },
    json: { type: "boolean", default: false },
    watch: { type: "boolean", short: "w", default: false },
  },
  failureExitCode: EXIT_CODES.down,
  run: async ({ stack, json, watch }) => {
    if (watch) return redraw(stack, json);
    const status = await statusInTime(stack);
    console.log(json ? JSON.stringify(status, null, 2) : statusReport(status));
    return EXIT_CODES[status.condition];
  },
});

/** What cannot be seen for the moment is told like anything else, and looked for again. */
async function redraw(stack: string | undefined, json: boolean): Promise<never> {
  for (;;) {
    try {
      const status = await statusInTime(stack);
      draw(json ? JSON.stringify(status) : `${statusReport(status)}\n\nAt ${status.at}. Ctrl-C ends this.`, json);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      draw(error.message, json);
    }
    await sleep(REFRESH_SECONDS * 1000);
  }
}

/** On a terminal in place of what was there, else below it. */
function draw(text: string, json: boolean): void {
  process.stdout.write(process.stdout.isTTY && !json ? `${TO_THE_TOP}${text}\n` : `${text}\n`);
}
