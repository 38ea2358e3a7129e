import * as pulumi from "@pulumi/pulumi";
import type { InputsOf } from "./inputs-of.ts";

export interface ServerCertificateInputs {
  /** DNS names and IP addresses that clients and standbys reach the server by; the first is its common name. */
  readonly names: readonly string[];
  readonly authorityCertificatePem: string;
  readonly authorityPrivateKeyPem: string;
}

export interface ServerCertificateOutputs {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** A server's certificate for a year; an update issues a new one from 30 days before its end. */
export class ServerCertificate extends pulumi.CustomResource {
  declare readonly certificatePem: pulumi.Output<string>;
  declare readonly privateKeyPem: pulumi.Output<string>;

  constructor(name: string, args: InputsOf<ServerCertificateInputs>, opts?: pulumi.CustomResourceOptions) {
    const outputs = { certificatePem: undefined, privateKeyPem: undefined };
    const secrecy = { additionalSecretOutputs: ["privateKeyPem"] };
    super("pgtopology:index:ServerCertificate", name, { ...args, ...outputs }, pulumi.mergeOptions(opts, secrecy));
  }
}
