import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { NodePlan, Plan } from "../plan/plan.ts";
import type { DockerHosts } from "./docker-hosts.ts";
import { asLabels } from "./labels.ts";

/**
 * The data volumes of all nodes. They are made together, before any node, so that founding a cluster can look into all
 * of them first; a change of role moves none.
 */
export class DataVolumes extends pulumi.ComponentResource {
  readonly all: readonly docker.Volume[];
  readonly #byNode: ReadonlyMap<string, docker.Volume>;

  constructor(name: string, plan: Plan, hosts: DockerHosts, opts: pulumi.ComponentResourceOptions) {
    super("pgtopology:index:DataVolumes", name, {}, opts);
    const volume = (node: NodePlan): docker.Volume =>
      new docker.Volume(
        // Its own name: that is what a refused destroy shows.
        node.dataVolume,
        { name: node.dataVolume, labels: asLabels(node.labels) },
        {
          parent: this,
          ...hosts.on(node.host),
          protect: plan.deletionProtection,
          // Labels and options are part of a volume's identity: a changed one would replace it, data and all.
          ignoreChanges: ["labels", "driver", "driverOpts"],
        },
      );
    this.#byNode = new Map(plan.nodes.map((node) => [node.name, volume(node)]));
    this.all = [...this.#byNode.values()];
    this.registerOutputs({});
  }

  of(node: NodePlan): docker.Volume {
    const volume = this.#byNode.get(node.name);
    if (volume === undefined) throw new Error(`${node.name} has no data volume`);
    return volume;
  }
}
