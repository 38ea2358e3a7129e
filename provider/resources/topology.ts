import * as pulumi from "@pulumi/pulumi";
import type { LastRestart } from "../../operations/apply-configuration.ts";
import type { VerifiedTopology } from "../../operations/converge.ts";
import type { SynchronousGuarantee } from "../../operations/synchronous.ts";
import type { RoleAcknowledgement, RoleEnvironment, Switchover } from "../../operations/role-environment.ts";
import type { WhenStandbyMissing } from "../../operations/degrade.ts";
import type { VerifiedReplication } from "../../operations/streaming.ts";
import type { ShapedNode } from "../../operations/topology.ts";
import type { OperatorCredentials } from "../../operations/sql.ts";
import type { InputsOf } from "./inputs-of.ts";

export interface TopologyInputs {
  /** Every standby after its upstream. */
  readonly nodes: readonly ShapedNode[];
  readonly otherSlots: readonly string[];
  /** Remembered by the provider. */
  readonly retiredSlots?: readonly string[];
  readonly operator: OperatorCredentials;
  readonly environment: RoleEnvironment;
  readonly acknowledgement: RoleAcknowledgement;
  readonly guarantee: SynchronousGuarantee | null;
  readonly whenStandbyMissing: WhenStandbyMissing;
  /** When the files of each node were written: a change makes servers read them again. */
  readonly filesWrittenAt: readonly string[];
}

export interface TopologyOutputs extends VerifiedTopology {
  /** null: no update has restarted a server yet. */
  readonly lastRestart: LastRestart | null;
  /** The last change of roles by an update; null: there was none. */
  readonly lastSwitchover: Switchover | null;
}

/** The running topology: the only resource that acts on several nodes. It outputs what it measured. */
export class Topology extends pulumi.CustomResource {
  declare readonly primary: pulumi.Output<string>;
  declare readonly systemIdentifier: pulumi.Output<string>;
  declare readonly timeline: pulumi.Output<number>;
  declare readonly replication: pulumi.Output<VerifiedReplication[]>;
  declare readonly lastRestart: pulumi.Output<LastRestart | null>;
  declare readonly lastSwitchover: pulumi.Output<Switchover | null>;

  constructor(name: string, args: InputsOf<TopologyInputs>, opts?: pulumi.CustomResourceOptions) {
    const outputs = {
      primary: undefined,
      systemIdentifier: undefined,
      timeline: undefined,
      replication: undefined,
      lastRestart: undefined,
      lastSwitchover: undefined,
    };
    super("pgtopology:index:Topology", name, { ...args, ...outputs }, opts);
  }
}
