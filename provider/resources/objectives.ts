import * as pulumi from "@pulumi/pulumi";
import type { LastRestart } from "../../operations/apply-configuration.ts";
import type { Node } from "../../operations/node.ts";
import type { Objectives as ObjectivesShape } from "../../operations/objectives.ts";
import type { DrillReport } from "../../operations/restore-drill.ts";
import type { Switchover } from "../../operations/role-environment.ts";
import type { InputsOf } from "./inputs-of.ts";

export interface ObjectivesInputs {
  readonly objectives: ObjectivesShape;
  /** Whether one that is missed fails the update; otherwise it is a warning. */
  readonly enforce: boolean;
  /** All nodes, the primary first. */
  readonly nodes: readonly Node[];
  /** Those whose replay lag counts. */
  readonly standbys: readonly Node[];
  /** null: it was not measured yet. */
  readonly lastDrill: DrillReport | null;
  readonly lastSwitchover: Switchover | null;
  readonly lastRestart: LastRestart | null;
}

/** What measured figures have to keep to: of all resources the last, so that a missed one stops nothing else. */
export class Objectives extends pulumi.CustomResource {
  constructor(name: string, args: InputsOf<ObjectivesInputs>, opts?: pulumi.CustomResourceOptions) {
    super("pgtopology:index:Objectives", name, { ...args }, opts);
  }
}
