import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { NetworkPlan, Plan } from "../plan/plan.ts";
import { asLabels } from "./labels.ts";

/** The Docker network on which the nodes find each other by name. */
export class ReplicationNetwork extends pulumi.ComponentResource {
  readonly network: docker.Network;

  constructor(name: string, plan: Plan, opts: pulumi.ComponentResourceOptions) {
    super("pgtopology:index:ReplicationNetwork", name, {}, opts);
    const { network } = plan;
    this.network = new docker.Network(
      `${name}-network`,
      {
        name: network.name,
        driver: "bridge",
        labels: asLabels(plan.labels),
        ...ipam(network),
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}

function ipam({ subnet, dynamicRange }: NetworkPlan): Pick<docker.NetworkArgs, "ipamConfigs"> {
  if (subnet === null) return {};
  return { ipamConfigs: [{ subnet, ...(dynamicRange === null ? {} : { ipRange: dynamicRange }) }] };
}
