import * as pulumi from "@pulumi/pulumi";

export interface CertificateAuthorityInputs {
  readonly commonName: string;
}

export interface CertificateAuthorityOutputs {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** The topology's own certificate authority: an ECDSA P-256 key and a certificate for ten years. */
export class CertificateAuthority extends pulumi.CustomResource {
  declare readonly certificatePem: pulumi.Output<string>;
  declare readonly privateKeyPem: pulumi.Output<string>;

  constructor(name: string, args: CertificateAuthorityInputs, opts?: pulumi.CustomResourceOptions) {
    const outputs = { certificatePem: undefined, privateKeyPem: undefined };
    const secrecy = { additionalSecretOutputs: ["privateKeyPem"] };
    super("pgtopology:index:CertificateAuthority", name, { ...args, ...outputs }, pulumi.mergeOptions(opts, secrecy));
  }
}
