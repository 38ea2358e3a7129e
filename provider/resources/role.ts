import * as pulumi from "@pulumi/pulumi";
import type { NodeMarks } from "../../operations/node.ts";
import type { Role as RoleShape } from "../../operations/roles.ts";
import type { InputsOf } from "./inputs-of.ts";

export interface RoleInputs extends NodeMarks {
  readonly role: RoleShape;
  readonly password: string;
}

/** A role that logs in with scram-sha-256; its password reaches the server only as a verifier. */
export class Role extends pulumi.CustomResource {
  constructor(name: string, args: InputsOf<RoleInputs>, opts?: pulumi.CustomResourceOptions) {
    super("pgtopology:index:Role", name, { ...args }, opts);
  }
}
