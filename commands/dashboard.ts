import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { renderPage } from "../dashboard/render.ts";
import { addressOf, serveDashboard } from "../dashboard/server.ts";
import { OperationError } from "../operations/errors.ts";
import { runCommand } from "./command.ts";
import { REFRESH_SECONDS } from "./stack-status.ts";
import { StackWatch } from "./stack-watch.ts";

const DEFAULT_PORT = 8432;

await runCommand({
  usage: `usage: npm run dashboard [-- [--stack NAME] [--port N] [--impact FILE]]
Serves a page on 127.0.0.1 that shows a stack (the only one of this project on the engine, unless one is named) as
npm run status sees it, with charts since this was started. It can only be read. Ctrl-C ends it.
  --port    where; ${DEFAULT_PORT} unless given, 0 for a free one
  --impact  shows a pending change too: FILE has what npm run --silent preview -- --json-impact printed`,
  options: {
    stack: { type: "string", short: "s" },
    port: { type: "string", default: String(DEFAULT_PORT) },
    impact: { type: "string" },
  },
  failureExitCode: 1,
  run: async ({ stack, port, impact }) => {
    const watch = await StackWatch.begin(stack, impact);
    const page = (): string => renderPage(watch.view(), REFRESH_SECONDS);
    const view = (): string => JSON.stringify(watch.view());
    const server = await serveDashboard(portNumber(port), { page, view });
    console.log(`${watch.stack} is shown at ${addressOf(server)} until Ctrl-C.`);
    await Promise.race([keepLooking(watch), once(process, "SIGINT"), once(process, "SIGTERM")]);
    return 0;
  },
});

async function keepLooking(watch: StackWatch): Promise<never> {
  for (;;) {
    await sleep(REFRESH_SECONDS * 1000);
    await watch.look();
  }
}

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new OperationError(`--port takes a number up to 65535, not ${text}.`);
}
