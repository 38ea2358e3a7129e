import * as pulumi from "@pulumi/pulumi";
import type { Bootstrap } from "../../operations/bootstrap.ts";
import type { JobMount } from "../../operations/job.ts";

export interface DatabaseClusterInputs {
  /** The volume that the cluster is founded in. */
  readonly volume: string;
  readonly job: string;
  readonly image: string;
  readonly script: string;
  readonly mounts: readonly JobMount[];
  readonly labels: Readonly<Record<string, string>>;
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
