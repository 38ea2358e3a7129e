import type { DataJob, RoleAcknowledgement, RoleEnvironment } from "../operations/role-environment.ts";
import { POSTGRES_UID } from "../plan/layout.ts";
import { baseBackupMounts, rejoinScript } from "../plan/jobs.ts";
import { LABELS } from "../plan/names.ts";
import type { Plan } from "../plan/plan.ts";

/** What a change of roles works with. */
export function roleEnvironment(plan: Plan): RoleEnvironment {
  const jobs = plan.nodes.map((node): [string, DataJob] => [
    node.name,
    { name: node.rejoinJob, script: rejoinScript(plan, node), mounts: baseBackupMounts(plan, node) },
  ]);
  return {
    image: plan.image,
    network: plan.network.name,
    labels: plan.labels,
    nodeLabel: LABELS.node,
    dataDirectory: plan.layout.dataDirectory,
    fenceFile: plan.layout.fenceFile,
    uid: POSTGRES_UID,
    jobs: Object.fromEntries(jobs),
  };
}

export const roleAcknowledgement = ({ acknowledge }: Plan): RoleAcknowledgement => ({
  failoverLostBytes: acknowledge.failover?.lostBytes ?? null,
  rejoin: acknowledge.rejoin,
});
