import { connectEngine, requireEngine } from "../operations/engine.ts";
import { OperationError } from "../operations/errors.ts";
import { projectName } from "../operations/pulumi-state.ts";
import { stackStatus } from "../operations/status.ts";
import type { Condition, StackStatus } from "../operations/status.ts";
import { withDeadline } from "../operations/with-deadline.ts";
import { LABELS, stackLabels } from "../plan/names.ts";
import { runCommand } from "./command.ts";
import { DEFAULT_STACK, PROJECT_DIRECTORY, shortStackName } from "./project.ts";
import { statusReport } from "./status-report.ts";

/** The engine may hang as well as a server: a status that hangs too tells nothing. */
const TIMEOUT_SECONDS = 3;

const EXIT_CODES: Readonly<Record<Condition, number>> = { healthy: 0, degraded: 1, down: 2 };

await runCommand({
  usage: `usage: npm run status [-- [--stack NAME] [--json]]
Shows the nodes of a stack (default: ${DEFAULT_STACK}) as the engine and the servers see them; no Pulumi, no passphrase.
Exit code: 0 all is well, 1 the stack is degraded, 2 no node takes writes or none can be asked.`,
  options: { stack: { type: "string", short: "s", default: DEFAULT_STACK }, json: { type: "boolean", default: false } },
  failureExitCode: EXIT_CODES.down,
  run: async ({ stack, json }) => {
    const status = await withDeadline(
      statusOf(shortStackName(stack)),
      TIMEOUT_SECONDS,
      "The Docker engine did not answer",
    );
    console.log(json ? JSON.stringify({ stack, ...status }, null, 2) : statusReport(stack, status));
    return EXIT_CODES[status.condition];
  },
});

async function statusOf(stack: string): Promise<StackStatus> {
  const docker = connectEngine();
  await requireEngine(docker);
  const project = await projectName(PROJECT_DIRECTORY);
  const status = await stackStatus(docker, stackLabels({ project, stack }), LABELS.node);
  if (status.nodes.length > 0) return status;
  throw new OperationError(
    `No node of the stack ${stack} is on this engine. npm start -- --stack ${stack} brings it up.`,
  );
}
