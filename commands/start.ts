import { existsSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { OperationError } from "../operations/errors.ts";
import { projectName } from "../operations/pulumi-state.ts";
import { stackStatus } from "../operations/status.ts";
import type { StackIdentity } from "../plan/names.ts";
import { runCommand } from "./command.ts";
import { requireOwnEngine } from "./hosts.ts";
import { DEFAULT_STACK, PROJECT_DIRECTORY, shortStackName } from "./project.ts";
import { pulumiOnTerminal } from "./pulumi-on-terminal.ts";
import { recoverStack } from "./recover-stack.ts";
import { UNHEALTHY_EXIT_CODE } from "./stack-file.ts";
import { onEngine } from "./stack-on-engine.ts";
import { statusReport } from "./status-report.ts";

await runCommand({
  usage: `usage: npm start [-- --stack NAME]
Brings a stack up (default: ${DEFAULT_STACK}) as its stack file says, and shows the replication that was verified.
The stack is made if it is not there, and becomes the selected one, so that pulumi without --stack means it.
Exit code ${UNHEALTHY_EXIT_CODE}: the update came to its end, and the status found a problem.`,
  options: { stack: { type: "string", short: "s", default: DEFAULT_STACK } },
  failureExitCode: 1,
  run: async ({ stack }) => {
    const identity = { project: await projectName(PROJECT_DIRECTORY), stack: shortStackName(stack) };
    requireStackFile(identity);
    await requireOwnEngine(identity);
    // First of all: no command of the CLI works with what a killed one may leave in a file backend.
    await clearUp(stack, identity);
    await selectStack(stack, identity);
    const exitCode = await pulumiOnTerminal(["up", "--yes", "--skip-preview", "--stack", stack]);
    return exitCode === 0 ? report(identity) : exitCode;
  },
});

function stackFile({ stack }: StackIdentity): string {
  return `Pulumi.${stack}.yaml`;
}

/** Without this, every slip of the keyboard would make a stack. */
function requireStackFile(identity: StackIdentity): void {
  const file = stackFile(identity);
  if (existsSync(join(PROJECT_DIRECTORY, file))) return;
  throw new OperationError(
    `There is no stack file ${file}. Copy Pulumi.${DEFAULT_STACK}.yaml to it, change what shall differ (the ports, above all), and run this again.`,
  );
}

async function selectStack(stack: string, identity: StackIdentity): Promise<void> {
  const args = ["stack", "select", "--create", "--stack", stack, "--non-interactive"];
  const result = await execa("pulumi", args, { cwd: PROJECT_DIRECTORY, reject: false });
  if (!result.failed) return;
  const why = result.stderr.replace(/^error: /m, "").trim() || (result.shortMessage ?? "");
  const hint = why.includes("passphrase") ? `\n${wrongPassphrase(identity)}` : "";
  throw new OperationError(`The stack ${stack} cannot be selected: ${why}${hint}`);
}

/** Every clone has a passphrase of its own, unless its user has set one. */
function wrongPassphrase(identity: StackIdentity): string {
  return `The line encryptionsalt of ${stackFile(identity)} belongs to another passphrase than the one in use. Give that one by PULUMI_CONFIG_PASSPHRASE; or, if nothing in the file is encrypted, remove the line.`;
}

/** Running servers that this state does not know may belong to another clone's: to take them over is a person's choice. */
async function clearUp(stack: string, identity: StackIdentity): Promise<void> {
  for (const line of await recoverStack(stack, identity, true)) console.log(line);
}

async function report(identity: StackIdentity): Promise<number> {
  const status = await stackStatus(onEngine(identity));
  console.log(`\n${statusReport(status)}\n\n${nextSteps(identity)}`);
  return status.condition === "healthy" ? 0 : UNHEALTHY_EXIT_CODE;
}

function nextSteps({ stack }: StackIdentity): string {
  const option = stack === DEFAULT_STACK ? "" : ` -- --stack ${stack}`;
  return [
    `Connect:  psql "$(toolchain/run pulumi stack output readWriteUri --show-secrets --stack ${stack})"`,
    `Look:     npm run status -- --stack ${stack}`,
    `Change:   edit Pulumi.${stack}.yaml, then npm run preview${option}, then npm start${option}`,
    `Remove:   npm run destroy${option}`,
  ].join("\n");
}
