import * as pulumi from "@pulumi/pulumi";
import type { VolumeContents, VolumeFile } from "../../operations/volume-files.ts";
import type { InputsOf } from "./inputs-of.ts";

export interface VolumeFilesInputs extends VolumeContents {
  /** A container that has the volume mounted once the topology is up: files are compared through it. */
  readonly through: string;
  /** What a server is configured by: written here for its first start only, and from then on by `Topology`. */
  readonly serverFiles: readonly VolumeFile[];
}

export interface VolumeFilesOutputs {
  /** When the files were last written: changes when somebody has to read them again. */
  readonly writtenAt: string;
}

/** Files in a volume, kept byte for byte: what was changed by hand is found in previews and written again. */
export class VolumeFiles extends pulumi.CustomResource {
  declare readonly writtenAt: pulumi.Output<string>;

  constructor(name: string, args: InputsOf<VolumeFilesInputs>, opts?: pulumi.CustomResourceOptions) {
    super("pgtopology:index:VolumeFiles", name, { ...args, writtenAt: undefined }, opts);
  }
}
