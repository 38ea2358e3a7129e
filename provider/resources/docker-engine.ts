import * as pulumi from "@pulumi/pulumi";
import type { Bootstrap } from "../../operations/bootstrap.ts";
import type { Losable } from "../../operations/data-loss.ts";
import type { StackMarks } from "../../operations/orphans.ts";
import type { EngineNeeds } from "../../operations/preflight.ts";
import type { LastingChoices } from "../../operations/refused-changes.ts";
import type { InputsOf } from "./inputs-of.ts";

export interface DockerEngineInputs extends EngineNeeds, LastingChoices, Losable, StackMarks {
  /** Where Pulumi.yaml is: to ask for the state after an interruption. */
  readonly projectDirectory: string;
  readonly stack: string;
  /** null: the cluster is founded empty. */
  readonly bootstrap: Bootstrap | null;
}

/**
 * The engine, fit for this topology: it answers, has the image, the subnet and the ports are free, and nothing is left
 * of an interrupted update. All else is made after it.
 */
export class DockerEngine extends pulumi.CustomResource {
  constructor(name: string, args: InputsOf<DockerEngineInputs>, opts?: pulumi.CustomResourceOptions) {
    super("pgtopology:index:DockerEngine", name, { ...args }, opts);
  }
}
