import * as command from "@pulumi/command";
import type { Plan } from "../plan/plan.ts";
import type { Topology } from "./topology.ts";

/**
 * Runs the user's own command when another node has become the primary, and the topology is verified: in the folder of
 * Pulumi.yaml, which a plugin is started in. To name that folder would run it again from another checkout.
 */
export function runHooks({ hooks, primary }: Plan, topology: Topology): void {
  if (hooks.afterPromotion === null) return;
  const { host, port } = primary.clientEndpoint;
  new command.local.Command(
    "after-promotion",
    {
      create: hooks.afterPromotion,
      environment: { PG_TOPOLOGY_PRIMARY: primary.name, PG_TOPOLOGY_HOST: host, PG_TOPOLOGY_PORT: String(port) },
      // The name alone: outputs of the topology are unknown in every preview that changes it.
      triggers: [primary.name],
    },
    { dependsOn: topology },
  );
}
