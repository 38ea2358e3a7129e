import type Docker from "dockerode";
import type { WalArchive } from "../operations/archived-wal.ts";
import { inspectContainer, requireEngine } from "../operations/engine.ts";
import { OperationError } from "../operations/errors.ts";
import { projectName } from "../operations/pulumi-state.ts";
import { barmanFolders } from "../plan/layout.ts";
import { backupContainerName, barmanServerName } from "../plan/names.ts";
import type { StackIdentity } from "../plan/names.ts";
import { PROJECT_DIRECTORY, shortStackName } from "./project.ts";

/** The Barman server of a stack, and whose it is. */
export type StackBarman = WalArchive & { readonly identity: StackIdentity };

/** @throws OperationError when the stack has none on this engine, or when it does not run. */
export async function backupServerOf(docker: Docker, stack: string): Promise<StackBarman> {
  await requireEngine();
  const identity = { project: await projectName(PROJECT_DIRECTORY), stack: shortStackName(stack) };
  const container = backupContainerName(identity);
  const found = await inspectContainer(docker, container);
  if (found === undefined) {
    throw new OperationError(
      `The stack ${stack} has no backup server on this engine. Set \`backup: { enabled: true }\` in its stack file, and run npm start -- --stack ${stack}.`,
    );
  }
  if (!found.State.Running) {
    throw new OperationError(
      `The backup server ${container} is ${found.State.Status}. npm start -- --stack ${stack} brings it back.`,
    );
  }
  const server = barmanServerName(identity);
  return { container, server, walFolder: barmanFolders(server).wals, identity };
}
