import type { WalArchive } from "../operations/archived-wal.ts";
import type { BackupHome } from "../operations/backup-room.ts";
import type { OnHost } from "../operations/docker-host.ts";
import { engineOf, inspectContainer, requireEngine } from "../operations/engine.ts";
import { OperationError } from "../operations/errors.ts";
import type { BackupFolder } from "../operations/proven-backup.ts";
import { projectName } from "../operations/pulumi-state.ts";
import { BACKUP_HOME, barmanFolders } from "../plan/layout.ts";
import { backupContainerName, barmanServerName } from "../plan/names.ts";
import type { StackIdentity } from "../plan/names.ts";
import { hostsOf } from "./hosts.ts";
import { PROJECT_DIRECTORY, shortStackName } from "./project.ts";

/** The Barman server of a stack, and whose it is. */
export type StackBarman = WalArchive & BackupHome & BackupFolder & OnHost & { readonly identity: StackIdentity };

/** @throws OperationError when the stack has none, or when it does not run. */
export async function backupServerOf(stack: string): Promise<StackBarman> {
  const identity = { project: await projectName(PROJECT_DIRECTORY), stack: shortStackName(stack) };
  const on = backupPlaceOf(identity.stack);
  await requireEngine(on);
  const container = backupContainerName(identity);
  const found = await inspectContainer(engineOf(on), container);
  if (found === undefined) {
    throw new OperationError(
      `The stack ${stack} has no backup server on ${on.host?.name ?? "this engine"}. Set \`backup: { enabled: true }\` in its stack file, and run npm start -- --stack ${stack}.`,
    );
  }
  if (!found.State.Running) {
    throw new OperationError(
      `The backup server ${container} is ${found.State.Status}. npm start -- --stack ${stack} brings it back.`,
    );
  }
  const server = barmanServerName(identity);
  const { wals, base } = barmanFolders(server);
  return { container, server, home: BACKUP_HOME, walFolder: wals, backupFolder: base, identity, ...on };
}

/** Where the last update from this machine put it. */
export function backupPlaceOf(stack: string): OnHost {
  const { backupHost } = hostsOf(stack);
  return backupHost === undefined ? {} : { host: backupHost };
}
