import * as pulumi from "@pulumi/pulumi";
import type { ParameterCheck as ParameterCheckShape } from "../../operations/check-parameters.ts";

export type ParameterCheckInputs = ParameterCheckShape;

/** The parameters of the stack file, judged by the server itself before they are written to any node. */
export class ParameterCheck extends pulumi.CustomResource {
  constructor(name: string, args: ParameterCheckInputs, opts?: pulumi.CustomResourceOptions) {
    super("pgtopology:index:ParameterCheck", name, { ...args }, opts);
  }
}
