import { parseArgs } from "node:util";
import { execa } from "execa";
import { isReachable } from "../operations/engine.ts";
import { hostsInState } from "../operations/left-on-host.ts";
import type { OnOneHost } from "../operations/left-on-host.ts";
import { exportState, requireUnprotected } from "../operations/pulumi-state.ts";
import type { ExportedState } from "../operations/pulumi-state.ts";
import { runCommand } from "./command.ts";
import { PROJECT_DIRECTORY } from "./project.ts";
import { pulumiOnTerminal } from "./pulumi-on-terminal.ts";

await runCommand({
  usage: `usage: npm run destroy [-- ARGUMENT...]
Runs \`pulumi destroy ARGUMENT...\`. Where a host of the stack does not answer, everything else is removed, and what is left
there is listed; the same command finishes once the host is back.`,
  options: {},
  passesOn: true,
  failureExitCode: 1,
  run: async (_values, args) => {
    const stack = await stackOf(args);
    if (stack === undefined) return pulumiOnTerminal(["destroy", ...args]);
    const state = await exportState({ projectDirectory: PROJECT_DIRECTORY, stack });
    // What stands beside the servers, monitoring for one, pulumi would remove before it comes to what is protected.
    requireUnprotected(state);
    const silent = await silentHosts(state);
    if (silent.length === 0) return pulumiOnTerminal(["destroy", ...args]);
    for (const { host } of silent)
      console.error(`${host.name} does not answer: what is on the other hosts is removed, and what is there stays.`);
    const exitCode = await pulumiOnTerminal(["destroy", ...args, "--continue-on-error"]);
    console.error(leftMessage(await hostsLeft(stack, silent), stack));
    return exitCode;
  },
});

/** undefined: none is named, and none is selected. pulumi has the words for that. */
async function stackOf(args: readonly string[]): Promise<string | undefined> {
  const options = { stack: { type: "string", short: "s" } } as const;
  const { values } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true });
  if (typeof values.stack === "string") return values.stack;
  const shown = await execa("pulumi", ["stack", "--show-name", "--non-interactive"], {
    cwd: PROJECT_DIRECTORY,
    reject: false,
  });
  return shown.failed ? undefined : shown.stdout.trim();
}

async function silentHosts(state: ExportedState): Promise<OnOneHost[]> {
  const hosts = hostsInState(state);
  const answers = await Promise.all(hosts.map((one) => isReachable(one)));
  return hosts.filter((_, index) => answers[index] !== true);
}

async function hostsLeft(stack: string, silent: readonly OnOneHost[]): Promise<OnOneHost[]> {
  const left = hostsInState(await exportState({ projectDirectory: PROJECT_DIRECTORY, stack }));
  return left.filter(({ host, objects }) => objects.length > 0 && silent.some((one) => one.host.name === host.name));
}

function leftMessage(left: readonly OnOneHost[], stack: string): string {
  if (left.length === 0) return "Nothing is left there.";
  return [
    ...left.map(({ host, objects }) => `Left on ${host.name}:\n${objects.map((object) => `  ${object}`).join("\n")}`),
    `Once it is back:        npm run destroy -- --stack ${stack}`,
    `If it is gone for good: toolchain/run pulumi stack rm --force --preserve-config --stack ${stack}   (forgets what is listed here)`,
  ].join("\n");
}
