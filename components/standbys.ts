import type { Foundation } from "./foundation.ts";
import type { Primary } from "./primary.ts";
import type { ReplicationUser } from "./replication-user.ts";
import { Standby } from "./standby.ts";

/** The standbys of the plan. Those with one upstream are cloned side by side, a cascading one after its upstream. */
export function standbysInOrder(
  foundation: Foundation,
  primary: Primary,
  replicationUser: ReplicationUser,
): readonly Standby[] {
  const made = new Map<string, Primary | Standby>([[primary.node.name, primary]]);
  return foundation.plan.standbys.map((node) => {
    const upstream = made.get(node.upstream ?? "");
    if (upstream === undefined) throw new Error(`the upstream of ${node.name} is not planned before it`);
    const standby = new Standby(foundation, node, { cluster: primary.cluster, replicationUser, upstream });
    made.set(node.name, standby);
    return standby;
  });
}
