import * as pulumi from "@pulumi/pulumi";
import type { NodeMarks } from "../../operations/node.ts";
import type { InputsOf } from "./inputs-of.ts";

export interface DatabaseInputs extends NodeMarks {
  readonly name: string;
  readonly owner: string;
}

/** A database and its owner. It is made, or given to another owner; it is never dropped. */
export class Database extends pulumi.CustomResource {
  constructor(name: string, args: InputsOf<DatabaseInputs>, opts?: pulumi.CustomResourceOptions) {
    super("pgtopology:index:Database", name, { ...args }, opts);
  }
}
