import { projectName } from "../operations/pulumi-state.ts";
import { runCommand } from "./command.ts";
import { requireOwnEngine } from "./hosts.ts";
import { DEFAULT_STACK, PROJECT_DIRECTORY, shortStackName } from "./project.ts";
import { recoverStack } from "./recover-stack.ts";

await runCommand({
  usage: `usage: npm run recover [-- [--stack NAME] [--unfinished-only] [--forget-host HOST]]
Clears what an interrupted update of a stack (default: ${DEFAULT_STACK}) left behind: a lock of a process that is gone, and
containers, jobs and networks that the state does not know. They are stopped cleanly; volumes, and with them all data,
are kept. If the state itself is lost, that is every container: the next update makes new ones around the same data.
With --unfinished-only, servers that an update has brought up stay, even if this state does not know them.
With --forget-host, the state forgets all that is on a host that does not answer and never will again.`,
  options: {
    stack: { type: "string", short: "s", default: DEFAULT_STACK },
    "unfinished-only": { type: "boolean", default: false },
    "forget-host": { type: "string" },
  },
  failureExitCode: 1,
  run: async ({ stack, "unfinished-only": unfinishedOnly, "forget-host": forgottenHost }) => {
    const identity = { project: await projectName(PROJECT_DIRECTORY), stack: shortStackName(stack) };
    await requireOwnEngine(identity);
    const done = await recoverStack(stack, identity, unfinishedOnly, forgottenHost);
    if (done.length > 0) console.log(done.join("\n"));
    else if (!unfinishedOnly) console.log(`nothing to recover in stack ${stack}`);
    return 0;
  },
});
