import { baseBackupMounts, baseBackupScript } from "../plan/jobs.ts";
import { nodeMarks, placed } from "../plan/placed.ts";
import type { NodePlan } from "../plan/plan.ts";
import { BaseBackup } from "../provider/resources/base-backup.ts";
import type { DatabaseCluster } from "../provider/resources/database-cluster.ts";
import type { Server } from "../provider/resources/server.ts";
import { PostgresNode } from "./postgres-node.ts";
import type { Foundation } from "./foundation.ts";
import type { ReplicationUser } from "./replication-user.ts";

export interface StandbySource {
  readonly cluster: DatabaseCluster;
  readonly replicationUser: ReplicationUser;
  /** The node that it is cloned from, and that it streams from. */
  readonly upstream: { readonly node: NodePlan; readonly server: Server };
}

/** A node that follows another: a base backup of its upstream, and a server that streams from there. */
export class Standby extends PostgresNode {
  readonly server: Server;

  constructor(foundation: Foundation, node: NodePlan, source: StandbySource) {
    super(foundation, node);
    const { plan, network, volumes, credentials } = foundation;
    const { upstream } = source;
    const baseBackup = new BaseBackup(
      `${node.name}-base-backup`,
      {
        node: placed(node),
        volume: node.dataVolume,
        dataMount: plan.layout.dataMount,
        dataDirectory: plan.layout.dataDirectory,
        fenceFile: plan.layout.fenceFile,
        job: node.baseBackupJob,
        image: plan.image,
        systemIdentifier: source.cluster.systemIdentifier,
        script: source.cluster.systemIdentifier.apply((identifier) => baseBackupScript(plan, node, identifier)),
        mounts: baseBackupMounts(plan, node),
        network: plan.network.name,
        ...nodeMarks(plan),
        upstream: placed(upstream.node),
        slot: node.slot,
        operator: credentials.operator,
      },
      {
        parent: this,
        dependsOn: [
          network.on(node.host),
          volumes.of(node),
          this.files,
          upstream.server,
          ...source.replicationUser.roles,
        ],
      },
    );
    this.server = this.newServer([baseBackup]);
    this.registerOutputs({});
  }
}
