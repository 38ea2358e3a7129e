import * as pulumi from "@pulumi/pulumi";
import type { Bootstrap } from "../../operations/bootstrap.ts";
import type { Founding } from "../../operations/initdb.ts";

export interface DatabaseClusterInputs extends Founding {
  /** null: it is founded empty. */
  readonly bootstrap: Bootstrap | null;
}

export interface DatabaseClusterOutputs {
  /** A 64-bit number in decimal, the same on every node of one cluster. */
  readonly systemIdentifier: string;
}

/**
 * The database cluster, founded once, empty or from backups. Whatever changes afterwards, it is founded again only where
 * all data is gone and the stack file names backups.
 */
export class DatabaseCluster extends pulumi.CustomResource {
  declare readonly systemIdentifier: pulumi.Output<string>;

  constructor(name: string, args: DatabaseClusterInputs, opts?: pulumi.CustomResourceOptions) {
    super("pgtopology:index:DatabaseCluster", name, { ...args, systemIdentifier: undefined }, opts);
  }
}
