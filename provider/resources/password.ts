import * as pulumi from "@pulumi/pulumi";

export interface PasswordInputs {
  /** Characters; letters and digits, so that it needs no escaping anywhere. */
  readonly length: number;
  /** A new version is a new password. */
  readonly version: number;
}

export interface PasswordOutputs {
  readonly value: string;
}

/** A random password that stays the same until its version changes. */
export class Password extends pulumi.CustomResource {
  declare readonly value: pulumi.Output<string>;

  constructor(name: string, args: PasswordInputs, opts?: pulumi.CustomResourceOptions) {
    const secrecy = { additionalSecretOutputs: ["value"] };
    super("pgtopology:index:Password", name, { ...args, value: undefined }, pulumi.mergeOptions(opts, secrecy));
  }
}
