import { initdbJob } from "../plan/jobs.ts";
import { on } from "../plan/placed.ts";
import type { NodePlan } from "../plan/plan.ts";
import { DatabaseCluster } from "../provider/resources/database-cluster.ts";
import type { Server } from "../provider/resources/server.ts";
import { PostgresNode } from "./postgres-node.ts";
import type { Foundation } from "./foundation.ts";

/** The node that takes writes: the cluster is founded in its data volume, empty or from backups. */
export class Primary extends PostgresNode {
  readonly cluster: DatabaseCluster;
  readonly server: Server;

  constructor(foundation: Foundation, node: NodePlan) {
    super(foundation, node);
    const { plan, volumes } = foundation;
    this.cluster = new DatabaseCluster(
      "database-cluster",
      {
        volume: node.dataVolume,
        job: node.initdbJob,
        image: plan.image,
        labels: plan.labels,
        ...on(node.host),
        ...initdbJob(plan),
        bootstrap: plan.bootstrap,
      },
      { parent: this, dependsOn: [...volumes.all] },
    );
    this.server = this.newServer([this.cluster]);
    this.registerOutputs({});
  }
}
