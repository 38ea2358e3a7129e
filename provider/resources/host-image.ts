import * as pulumi from "@pulumi/pulumi";
import type { ImageOnHost } from "../../operations/built-image.ts";

export type HostImageInputs = ImageOnHost;

/** An image of this project's own on the engine of a host. It stays when the stack goes: another stack may use it. */
export class HostImage extends pulumi.CustomResource {
  constructor(name: string, args: HostImageInputs, opts?: pulumi.CustomResourceOptions) {
    super("pgtopology:index:HostImage", name, { ...args }, opts);
  }
}
