import * as pulumi from "@pulumi/pulumi";

export interface CertificateAuthorityInputs {
  readonly commonName: string;
  /** Another version is another authority. */
  readonly version: number;
  /** Whether the authority before is trusted beside this one. */
  readonly trustPrevious: boolean;
}

export interface CertificateAuthorityOutputs {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** All that is to be trusted: this authority, and the one before where it is still trusted. */
  readonly trustedPem: string;
  /** The certificate of the authority before; "": there is none, or it is trusted no more. */
  readonly previousPem: string;
  /** What servers show beside their own certificates: the one before vouches for this one. "" as above. */
  readonly crossPem: string;
}

/** The topology's own certificate authority: an ECDSA P-256 key and a certificate for ten years. */
export class CertificateAuthority extends pulumi.CustomResource {
  declare readonly certificatePem: pulumi.Output<string>;
  declare readonly privateKeyPem: pulumi.Output<string>;
  declare readonly trustedPem: pulumi.Output<string>;
  declare readonly crossPem: pulumi.Output<string>;

  constructor(name: string, args: CertificateAuthorityInputs, opts?: pulumi.CustomResourceOptions) {
    const outputs = {
      certificatePem: undefined,
      privateKeyPem: undefined,
      trustedPem: undefined,
      previousPem: undefined,
      crossPem: undefined,
    };
    const secrecy = { additionalSecretOutputs: ["privateKeyPem"] };
    super("pgtopology:index:CertificateAuthority", name, { ...args, ...outputs }, pulumi.mergeOptions(opts, secrecy));
  }
}
