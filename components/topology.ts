import * as pulumi from "@pulumi/pulumi";
import { placed } from "../plan/placed.ts";
import type { NodePlan, Plan } from "../plan/plan.ts";
import { Topology as TopologyResource } from "../provider/resources/topology.ts";
import type { LastRestart } from "../operations/apply-configuration.ts";
import type { VerifiedReplication } from "../operations/streaming.ts";
import type { ShapedNode } from "../operations/topology.ts";
import type { Switchover } from "../operations/role-environment.ts";
import type { ApplicationDatabase } from "./application-database.ts";
import type { Clients } from "./clients.ts";
import type { Foundation } from "./foundation.ts";
import type { Primary } from "./primary.ts";
import { roleAcknowledgement, roleEnvironment } from "./role-environment.ts";
import { serverFilesOf } from "./server-files.ts";
import type { Standby } from "./standby.ts";

export interface TopologyParts {
  readonly primary: Primary;
  readonly standbys: readonly Standby[];
  readonly database: ApplicationDatabase;
  readonly clients: Clients;
}

export interface TopologyOutputs {
  readonly primary: pulumi.Output<string>;
  readonly nodes: pulumi.Output<NodeOutput[]>;
  readonly replication: pulumi.Output<VerifiedReplication[]>;
  readonly timeline: pulumi.Output<number>;
  readonly systemIdentifier: pulumi.Output<string>;
  /** null: no update has restarted a server yet. */
  readonly lastRestart: pulumi.Output<LastRestart | null>;
  /** null: roles have not been changed yet. */
  readonly lastSwitchover: pulumi.Output<Switchover | null>;
}

export interface NodeOutput {
  readonly name: string;
  readonly role: "primary" | "standby";
  readonly container: string;
  readonly host: string;
  readonly port: number;
}

/** The whole, verified: what the outputs say was measured after everything else was there. */
export class Topology extends pulumi.ComponentResource {
  /** The outputs of the stack that tell of servers. */
  readonly outputs: TopologyOutputs;
  readonly verified: TopologyResource;

  constructor(
    name: string,
    { credentials, plan }: Foundation,
    { primary, standbys, database, clients }: TopologyParts,
  ) {
    super("pgtopology:index:VerifiedTopology", name, {});
    const members = [primary, ...standbys];
    this.verified = new TopologyResource(
      name,
      {
        nodes: members.map(({ node }) => shaped(plan, node)),
        otherSlots: plan.otherSlots,
        operator: credentials.operator,
        environment: roleEnvironment(plan),
        acknowledgement: roleAcknowledgement(plan),
        guarantee: plan.guarantee,
        whenStandbyMissing: plan.whenStandbyMissing,
        filesWrittenAt: members.map(({ files }) => files.writtenAt),
      },
      {
        parent: this,
        // Everything: of all that is destroyed the topology comes first, and may refuse.
        dependsOn: [...members.map(({ server }) => server), database.database, clients.rootCertificate],
      },
    );
    const { verified } = this;
    this.outputs = {
      primary: verified.primary,
      nodes: verified.primary.apply((name) => plan.nodes.map((node) => describe(node, name))),
      replication: verified.replication,
      timeline: verified.timeline,
      systemIdentifier: verified.systemIdentifier,
      lastRestart: verified.lastRestart.apply((restart) => restart ?? null),
      // A null is no value to the engine, and would be no output at all.
      lastSwitchover: verified.lastSwitchover.apply((last) => last ?? null),
    };
    this.registerOutputs({});
  }
}

const describe = (node: NodePlan, primary: string): NodeOutput => ({
  name: node.name,
  role: node.name === primary ? "primary" : "standby",
  container: node.container,
  ...node.clientEndpoint,
});

const shaped = (plan: Plan, node: NodePlan): ShapedNode => ({
  ...placed(node),
  upstream: node.upstream,
  slot: node.slot,
  parameters: node.parameters,
  serverFiles: serverFilesOf(plan, node),
});
