import * as pulumi from "@pulumi/pulumi";
import type { OwnAuthority } from "../../operations/own-authority.ts";
import type { InputsOf } from "./inputs-of.ts";

export interface CertificateAuthorityInputs {
  readonly commonName: string;
  /** Another version is another authority. */
  readonly version: number;
  /** Whether the authority before is trusted beside this one. */
  readonly trustPrevious: boolean;
  /** The user's own authority; null: one is made. */
  readonly given: OwnAuthority | null;
}

export interface CertificateAuthorityOutputs {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** All that is to be trusted: this authority, and the one before where it is still trusted. */
  readonly trustedPem: string;
  /** The certificate of the authority before; "": there is none, or it is trusted no more. */
  readonly previousPem: string;
  /**
   * What servers show beside their own certificates: those between them and the root, where the user's authority has
   * any, and that by which the one before vouches for this one, where it is still trusted.
   */
  readonly crossPem: string;
}

/** The topology's certificate authority: one of the user's, or an ECDSA P-256 key and a certificate for ten years. */
export class CertificateAuthority extends pulumi.CustomResource {
  declare readonly certificatePem: pulumi.Output<string>;
  declare readonly privateKeyPem: pulumi.Output<string>;
  declare readonly trustedPem: pulumi.Output<string>;
  declare readonly crossPem: pulumi.Output<string>;

  constructor(name: string, args: InputsOf<CertificateAuthorityInputs>, opts?: pulumi.CustomResourceOptions) {
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
