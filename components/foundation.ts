import type * as pulumi from "@pulumi/pulumi";
import { DockerEngine } from "../provider/resources/docker-engine.ts";
import { LABELS } from "../plan/names.ts";
import type { Plan } from "../plan/plan.ts";
import { ParameterCheck } from "../provider/resources/parameter-check.ts";
import { Credentials } from "./credentials.ts";
import type { ChosenPasswords } from "./credentials.ts";
import { DataVolumes } from "./data-volumes.ts";
import { roleAcknowledgement, roleEnvironment } from "./role-environment.ts";
import { ReplicationNetwork } from "./replication-network.ts";
import { WalArchive } from "./wal-archive.ts";

/** What every node stands on. */
export interface Foundation {
  readonly plan: Plan;
  /** What has to be there before the files of any node are written. */
  readonly beforeFiles: readonly pulumi.Resource[];
  readonly network: ReplicationNetwork;
  readonly credentials: Credentials;
  readonly volumes: DataVolumes;
  /** undefined: WAL is not archived. */
  readonly archive: WalArchive | undefined;
}

/** Checks the engine, and on it makes the network (the slowest of all: first), the secrets and the volumes. */
export function layFoundation(plan: Plan, passwords: ChosenPasswords, projectDirectory: string): Foundation {
  const engine = checkedEngine(plan, projectDirectory);
  const opts = { dependsOn: engine };
  const { archiveVolume } = plan;
  return {
    plan,
    beforeFiles: [engine, ...parameterCheck(plan, engine)],
    network: new ReplicationNetwork("replication", plan, opts),
    credentials: new Credentials("credentials", plan, passwords),
    volumes: new DataVolumes("data-volumes", plan, opts),
    archive: archiveVolume === null ? undefined : new WalArchive("wal-archive", plan, archiveVolume, opts),
  };
}

function parameterCheck({ parameterCheck: check, image, labels }: Plan, engine: DockerEngine): ParameterCheck[] {
  return check === null ? [] : [new ParameterCheck("parameters", { ...check, image, labels }, { dependsOn: engine })];
}

/** The engine, looked over and cleared before anything is made on it. */
function checkedEngine(plan: Plan, projectDirectory: string): DockerEngine {
  return new DockerEngine("engine", {
    image: plan.image,
    images: [...new Set([plan.image, ...plan.nodes.map((node) => node.image)])],
    postgresMajor: plan.postgresMajor,
    network: { name: plan.network.name, subnet: plan.network.subnet },
    ports: plan.nodes.flatMap((node) => (node.published === null ? [] : { node: node.name, ...node.published })),
    labels: plan.labels,
    nodeLabel: LABELS.node,
    scratchLabel: LABELS.scratch,
    primary: { name: plan.primary.name, container: plan.primary.container },
    dataDirectory: plan.layout.dataDirectory,
    dataMount: plan.layout.dataMount,
    dataVolumes: plan.nodes.map(({ name, container, dataVolume: volume }) => ({ name, container, volume })),
    irreplaceableVolumes: plan.irreplaceableVolumes,
    synchronousStandbys: plan.synchronousStandbys,
    acknowledge: { volumes: plan.acknowledge.volumes, synchronous: plan.acknowledge.synchronous },
    environment: roleEnvironment(plan),
    acknowledgement: roleAcknowledgement(plan),
    guarantee: plan.guarantee,
    bootstrap: plan.bootstrap,
    deletionProtection: plan.deletionProtection,
    projectDirectory,
    stack: plan.identity.stack,
  });
}
