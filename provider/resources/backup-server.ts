import * as pulumi from "@pulumi/pulumi";
import type { BackupServer as BackupServerShape } from "../../operations/backup-server.ts";
import type { InputsOf } from "./inputs-of.ts";

export interface BackupServerInputs extends BackupServerShape {
  /** The engine's id of the container: a new container is a server to be waited for. */
  readonly containerId: string;
}

export interface BackupServerOutputs {
  /** The newest backup that could be restored when this was last brought up. */
  readonly lastBackup: string;
}

/** The running Barman server: it receives the WAL, passes its own checks, and has a backup that can be restored. */
export class BackupServer extends pulumi.CustomResource {
  declare readonly lastBackup: pulumi.Output<string>;

  constructor(name: string, args: InputsOf<BackupServerInputs>, opts?: pulumi.CustomResourceOptions) {
    super("pgtopology:index:BackupServer", name, { ...args, lastBackup: undefined }, opts);
  }
}
