import { execa } from "execa";
import { stackStatus } from "../../operations/status-schema.ts";
import type { StackStatus } from "../../operations/status-schema.ts";
import { PROJECT_DIRECTORY } from "./project.ts";
import type { TestStack } from "./stack.ts";

/** What `npm run status -- --json` says of a stack. */
export async function statusOf(stack: TestStack): Promise<StackStatus> {
  const command = ["commands/status.ts", "--json", "--stack", stack.name];
  const { stdout } = await execa("node", command, { cwd: PROJECT_DIRECTORY, reject: false });
  return stackStatus.parse(JSON.parse(stdout));
}
