import * as pulumi from "@pulumi/pulumi";
import type { Node, NodeMarks } from "../../operations/node.ts";
import type { OperatorCredentials } from "../../operations/sql.ts";
import type { VolumeContents } from "../../operations/volume-files.ts";
import type { InputsOf } from "./inputs-of.ts";

export interface ServerInputs extends NodeMarks {
  readonly node: Node;
  /** The slot that it streams from, whenever it is a standby; absent: the state is of a version that kept none here. */
  readonly slot?: string;
  /** The engine's id of the container: a new container is a server to be waited for. */
  readonly containerId: string;
  readonly operator: OperatorCredentials;
  /** What it is started with where it does not start with the files that it has. */
  readonly serverFiles: VolumeContents;
}

/** The running server of a node: started if its container is stopped, and waited for until it takes connections. */
export class Server extends pulumi.CustomResource {
  constructor(name: string, args: InputsOf<ServerInputs>, opts?: pulumi.CustomResourceOptions) {
    super("pgtopology:index:Server", name, { ...args }, opts);
  }
}
