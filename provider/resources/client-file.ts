import * as pulumi from "@pulumi/pulumi";
import type { InputsOf } from "./inputs-of.ts";

export interface ClientFileInputs {
  /** Absolute, on the machine that runs the update. */
  readonly path: string;
  readonly content: string;
}

/** A file beside the program that clients on this machine need: the certificate that connection URIs name. */
export class ClientFile extends pulumi.CustomResource {
  constructor(name: string, args: InputsOf<ClientFileInputs>, opts?: pulumi.CustomResourceOptions) {
    super("pgtopology:index:ClientFile", name, { ...args }, opts);
  }
}
