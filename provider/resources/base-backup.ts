import * as pulumi from "@pulumi/pulumi";
import type { JobMount } from "../../operations/job.ts";
import type { Node, NodeMarks } from "../../operations/node.ts";
import type { OperatorCredentials } from "../../operations/sql.ts";
import type { InputsOf } from "./inputs-of.ts";

export interface BaseBackupInputs extends NodeMarks {
  /** The node that is made a standby. */
  readonly node: Node;
  /** Of the cluster that it copies. */
  readonly systemIdentifier: string;
  /** The volume that is filled. */
  readonly volume: string;
  readonly dataMount: string;
  readonly dataDirectory: string;
  readonly fenceFile: string;
  readonly job: string;
  readonly image: string;
  readonly script: string;
  readonly mounts: readonly JobMount[];
  readonly network: string;
  readonly upstream: Node;
  readonly slot: string;
  readonly operator: OperatorCredentials;
}

/**
 * A standby's data, copied once from its upstream, and again only where it is gone. A delete drops the slots of a
 * standby that is gone, and no data.
 */
export class BaseBackup extends pulumi.CustomResource {
  constructor(name: string, args: InputsOf<BaseBackupInputs>, opts?: pulumi.CustomResourceOptions) {
    super("pgtopology:index:BaseBackup", name, { ...args }, opts);
  }
}
