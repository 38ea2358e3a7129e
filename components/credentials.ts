import * as pulumi from "@pulumi/pulumi";
import type { OwnAuthority } from "../operations/own-authority.ts";
import { OPERATOR_ROLE } from "../plan/access-rules.ts";
import type { Plan } from "../plan/plan.ts";
import { CertificateAuthority } from "../provider/resources/certificate-authority.ts";
import { Password } from "../provider/resources/password.ts";

/** What the stack file says of passwords. A text is one that it chooses; a version, of one that is generated. */
export interface ChosenPasswords {
  readonly replication: string | { readonly version: number };
  readonly owner: string | { readonly version: number };
  readonly operator: { readonly version: number };
}

/** What of the stack file is secret. */
export interface ChosenSecrets {
  readonly passwords: ChosenPasswords;
  readonly ownAuthority: OwnAuthority | null;
}

export const PASSWORD_LENGTH = 32;

/** What logs in and what vouches: the certificate authority and the passwords, all secret in the state. */
export class Credentials extends pulumi.ComponentResource {
  readonly authority: CertificateAuthority;
  readonly replicationPassword: pulumi.Output<string>;
  readonly ownerPassword: pulumi.Output<string>;
  readonly operator: {
    readonly user: string;
    readonly password: pulumi.Output<string>;
    readonly certificateAuthorityPem: pulumi.Output<string>;
  };

  constructor(
    name: string,
    plan: Plan,
    { passwords, ownAuthority }: ChosenSecrets,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("pgtopology:index:Credentials", name, {}, opts);
    const password = (
      of: keyof ChosenPasswords,
      given: ChosenPasswords[keyof ChosenPasswords],
    ): pulumi.Output<string> =>
      typeof given === "string"
        ? pulumi.secret(given)
        : new Password(`${name}-${of}-password`, { length: PASSWORD_LENGTH, ...given }, { parent: this }).value;
    const commonName = `${plan.identity.project} ${plan.identity.stack} certificate authority`;
    this.authority = new CertificateAuthority(
      `${name}-authority`,
      {
        commonName,
        ...plan.certificateAuthority,
        given: ownAuthority && { ...ownAuthority, privateKeyPem: pulumi.secret(ownAuthority.privateKeyPem) },
      },
      { parent: this },
    );
    this.replicationPassword = password("replication", passwords.replication);
    this.ownerPassword = password("owner", passwords.owner);
    this.operator = {
      user: OPERATOR_ROLE,
      password: password("operator", passwords.operator),
      certificateAuthorityPem: this.authority.trustedPem,
    };
    this.registerOutputs({});
  }
}
