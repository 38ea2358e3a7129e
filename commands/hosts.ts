import { readFileSync } from "node:fs";
import { join } from "node:path";
import { requireEngine } from "../operations/engine.ts";
import { OperationError, messageOf } from "../operations/errors.ts";
import { hostsPath } from "../plan/client-files.ts";
import type { HostsFile } from "../plan/client-files.ts";
import type { StackIdentity } from "../plan/names.ts";
import { PROJECT_DIRECTORY } from "./project.ts";

/** The hosts that the last update from this machine left a stack on; empty: all is on the engine of this machine. */
export function hostsOf(stack: string): Partial<HostsFile> {
  const path = hostsPath(PROJECT_DIRECTORY, stack);
  try {
    return JSON.parse(readIfThere(path) ?? "{}") as Partial<HostsFile>;
  } catch (error) {
    throw new OperationError(`${path} cannot be read: ${messageOf(error)}. The next update writes it again.`);
  }
}

/** Whether a stack file has hosts. It is read as text: a backend that needs to be cleared first answers no command. */
export const namesHosts = (stackFile: string, project: string): boolean =>
  new RegExp(`^\\s*["']?${project}:hosts["']?:(?!\\s*\\{\\s*\\})`, "m").test(stackFile);

/** Whether a stack is on hosts, also where no update from this machine has left a note of them. */
export function isOnHosts({ project, stack }: StackIdentity): boolean {
  if (hostsOf(stack).hosts !== undefined) return true;
  return namesHosts(readIfThere(join(PROJECT_DIRECTORY, `Pulumi.${stack}.yaml`)) ?? "", project);
}

/**
 * Where there are hosts, the engine of this machine need not be one of them.
 * @throws OperationError when it is needed, and does not answer.
 */
export async function requireOwnEngine(identity: StackIdentity): Promise<void> {
  if (!isOnHosts(identity)) await requireEngine();
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
