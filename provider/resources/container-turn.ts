import * as pulumi from "@pulumi/pulumi";
import type { EarlierTurn } from "../../operations/container-turn.ts";
import type { Node, NodeMarks } from "../../operations/node.ts";
import type { OperatorCredentials } from "../../operations/sql.ts";
import type { InputsOf } from "./inputs-of.ts";

export interface ContainerTurnInputs extends NodeMarks {
  readonly node: Node;
  /** Changes with every input of the node's container: another one makes another container. */
  readonly generation: string;
  /** Label of containers that holds it. */
  readonly label: string;
  /** Nodes that come first. */
  readonly after: readonly EarlierTurn[];
  readonly operator: OperatorCredentials;
}

/** Comes before a node's container: where that is replaced, it waits until the nodes before it are back. */
export class ContainerTurn extends pulumi.CustomResource {
  constructor(name: string, args: InputsOf<ContainerTurnInputs>, opts?: pulumi.CustomResourceOptions) {
    super("pgtopology:index:ContainerTurn", name, { ...args }, opts);
  }
}
