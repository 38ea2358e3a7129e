import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { HostPlan, NetworkPlan, Plan } from "../plan/plan.ts";
import type { DockerHosts } from "./docker-hosts.ts";
import { asLabels } from "./labels.ts";

/**
 * The Docker network on which the nodes find each other by name. Where there are several hosts each has one, and the
 * nodes meet at the addresses of their hosts.
 */
export class ReplicationNetwork extends pulumi.ComponentResource {
  readonly #byHost: ReadonlyMap<string | null, docker.Network>;

  constructor(name: string, plan: Plan, hosts: DockerHosts, opts: pulumi.ComponentResourceOptions) {
    super("pgtopology:index:ReplicationNetwork", name, {}, opts);
    const network = (host: HostPlan | null): docker.Network =>
      new docker.Network(
        host === null ? `${name}-network` : `${name}-network-${host.name}`,
        {
          name: plan.network.name,
          driver: "bridge",
          labels: asLabels(plan.labels),
          ...ipam(plan.network),
        },
        { parent: this, ...hosts.on(host) },
      );
    const places = plan.hosts.length === 0 ? [null] : plan.hosts;
    this.#byHost = new Map(places.map((host) => [host?.name ?? null, network(host)]));
    this.registerOutputs({});
  }

  on(host: HostPlan | null): docker.Network {
    const network = this.#byHost.get(host?.name ?? null);
    if (network === undefined) throw new Error(`there is no network on ${host?.name ?? "the engine"}`);
    return network;
  }
}

function ipam({ subnet, dynamicRange }: NetworkPlan): Pick<docker.NetworkArgs, "ipamConfigs"> {
  if (subnet === null) return {};
  return { ipamConfigs: [{ subnet, ...(dynamicRange === null ? {} : { ipRange: dynamicRange }) }] };
}
