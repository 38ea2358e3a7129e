import * as pulumi from "@pulumi/pulumi";
import type { NodeMarks } from "../../operations/node.ts";
import type { DrillReport, RestoreDrill as RestoreDrillShape } from "../../operations/restore-drill.ts";
import type { InputsOf } from "./inputs-of.ts";

export interface RestoreDrillInputs extends RestoreDrillShape, NodeMarks {
  /** After so long the newest backup is restored again; null: only one that is new is. */
  readonly everySeconds: number | null;
}

export interface RestoreDrillOutputs {
  readonly lastDrill: DrillReport;
  /** The newest first, that one among them. */
  readonly drillHistory: readonly DrillReport[];
}

/** The newest backup, restored and checked: an update that finds a newer one does it again. */
export class RestoreDrill extends pulumi.CustomResource {
  declare readonly lastDrill: pulumi.Output<DrillReport>;
  declare readonly drillHistory: pulumi.Output<DrillReport[]>;

  constructor(name: string, args: InputsOf<RestoreDrillInputs>, opts?: pulumi.CustomResourceOptions) {
    super("pgtopology:index:RestoreDrill", name, { ...args, lastDrill: undefined, drillHistory: undefined }, opts);
  }
}
