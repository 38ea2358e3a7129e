import * as pulumi from "@pulumi/pulumi";
import { OPERATOR_ROLE } from "../plan/access-rules.ts";
import type { Plan } from "../plan/plan.ts";
import { CertificateAuthority } from "../provider/resources/certificate-authority.ts";
import { Password } from "../provider/resources/password.ts";

/** Passwords that the stack file chooses; null: one is generated. */
export interface ChosenPasswords {
  readonly replication: string | null;
  readonly owner: string | null;
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

  constructor(name: string, plan: Plan, chosen: ChosenPasswords, opts?: pulumi.ComponentResourceOptions) {
    super("pgtopology:index:Credentials", name, {}, opts);
    const password = (of: string, given: string | null): pulumi.Output<string> =>
      given === null
        ? new Password(`${name}-${of}-password`, { length: PASSWORD_LENGTH, version: 1 }, { parent: this }).value
        : pulumi.secret(given);
    const commonName = `${plan.identity.project} ${plan.identity.stack} certificate authority`;
    this.authority = new CertificateAuthority(`${name}-authority`, { commonName }, { parent: this });
    this.replicationPassword = password("replication", chosen.replication);
    this.ownerPassword = password("owner", chosen.owner);
    this.operator = {
      user: OPERATOR_ROLE,
      password: password("operator", null),
      certificateAuthorityPem: this.authority.certificatePem,
    };
    this.registerOutputs({});
  }
}
