import { readFileSync } from "node:fs";
import { OperationError, messageOf } from "../operations/errors.ts";
import { hostsPath } from "../plan/client-files.ts";
import type { HostsFile } from "../plan/client-files.ts";
import { PROJECT_DIRECTORY } from "./project.ts";

/** The hosts that the last update from this machine left a stack on; empty: all is on the engine of this machine. */
export function hostsOf(stack: string): Partial<HostsFile> {
  const path = hostsPath(PROJECT_DIRECTORY, stack);
  try {
    return JSON.parse(readFileSync(path, "utf8")) as HostsFile;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw new OperationError(`${path} cannot be read: ${messageOf(error)}. The next update writes it again.`);
  }
}
