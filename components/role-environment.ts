import type { DataJob, RoleAcknowledgement, RoleEnvironment } from "../operations/role-environment.ts";
import { CONFIGURATION_FILES, POSTGRES_UID } from "../plan/layout.ts";
import { baseBackupMounts, rejoinScript } from "../plan/jobs.ts";
import { nodeMarks, on } from "../plan/placed.ts";
import type { Plan } from "../plan/plan.ts";

/** What a change of roles works with. */
export function roleEnvironment(plan: Plan): RoleEnvironment {
  const jobs = plan.nodes.map((node): [string, DataJob] => [
    node.name,
    {
      name: node.rejoinJob,
      container: node.container,
      script: rejoinScript(plan, node),
      mounts: baseBackupMounts(plan, node),
      ...on(node.host),
    },
  ]);
  return {
    image: plan.image,
    network: plan.network.name,
    ...nodeMarks(plan),
    dataDirectory: plan.layout.dataDirectory,
    replicationConf: CONFIGURATION_FILES.replicationConf,
    fenceFile: plan.layout.fenceFile,
    uid: POSTGRES_UID,
    jobs: Object.fromEntries(jobs),
  };
}

export const roleAcknowledgement = ({ acknowledge }: Plan): RoleAcknowledgement => ({
  failoverLostBytes: acknowledge.failover?.lostBytes ?? null,
  ...(acknowledge.failover === null || acknowledge.failover.unfenced.length === 0
    ? {}
    : { unfenced: acknowledge.failover.unfenced }),
  rejoin: acknowledge.rejoin,
});
