import { render } from "../config-templates/render.ts";
import type { PlannedMount } from "./jobs.ts";
import { BACKUP_HOME, CONFIGURATION_MOUNT, SOCKET_DIRECTORY, barmanFolders, layoutOf } from "./layout.ts";
import * as names from "./names.ts";
import type { Labels, StackIdentity } from "./names.ts";

/** A node beside the topology that a backup is restored to, and that nobody reaches over the network. */
export interface RestorePlan {
  readonly job: string;
  readonly container: string;
  readonly volume: string;
  readonly labels: Labels;
  readonly mounts: readonly PlannedMount[];
  /** Takes the id of a backup and options of `barman restore`. */
  readonly restoreScript: string;
  readonly serverScript: string;
  /** Says which backups there are, and how much WAL came after each. */
  readonly catalogueScript: string;
  /** Takes what is looked for, and its name or moment. */
  readonly findScript: string;
}

/**
 * The node that a person restores to: it has labels of its own, since it stays until the person removes it, whatever
 * updates do.
 */
export const restoredNode = (identity: StackIdentity, postgresMajor: number): RestorePlan =>
  restorePlan(identity, postgresMajor, names.restoredName(identity), names.restoredLabels(identity));

/** The node of a drill: what is left of one that was interrupted the next update removes. */
export const drillNode = (identity: StackIdentity, postgresMajor: number): RestorePlan =>
  restorePlan(identity, postgresMajor, names.drillName(identity), names.scratchLabels(identity, "drill"));

function restorePlan(identity: StackIdentity, postgresMajor: number, name: string, labels: Labels): RestorePlan {
  const { dataMount: mount, dataDirectory } = layoutOf(postgresMajor);
  const server = names.barmanServerName(identity);
  const folders = barmanFolders(server);
  const volume = `${name}-data`;
  return {
    job: `${name}.restore`,
    container: name,
    volume,
    labels,
    mounts: [
      { volume: names.backupVolumeName(identity), path: BACKUP_HOME, readOnly: false },
      {
        volume: names.configurationVolumeName(identity, names.BACKUP_HOST),
        path: CONFIGURATION_MOUNT,
        readOnly: true,
      },
      { volume, path: mount, readOnly: false },
    ],
    restoreScript: render("restore.sh", { home: BACKUP_HOME, mount, dataDirectory, server, ...folders }),
    serverScript: render("restored-server.sh", { dataDirectory, socketDirectory: SOCKET_DIRECTORY }),
    catalogueScript: render("barman-catalogue.sh", { ...folders, home: BACKUP_HOME }),
    findScript: render("find-in-wal.sh", folders),
  };
}
