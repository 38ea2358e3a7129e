import * as pulumi from "@pulumi/pulumi";
import { DockerEngine } from "../provider/resources/docker-engine.ts";
import { LABELS } from "../plan/names.ts";
import { nodeMarks, on, placed } from "../plan/placed.ts";
import type { PlacedNode } from "../plan/placed.ts";
import type { HostPlan, MonitoringPlan, Plan } from "../plan/plan.ts";
import type { NodePort } from "../operations/preflight.ts";
import { ParameterCheck } from "../provider/resources/parameter-check.ts";
import { Credentials } from "./credentials.ts";
import type { ChosenSecrets } from "./credentials.ts";
import { DataVolumes } from "./data-volumes.ts";
import { DockerHosts } from "./docker-hosts.ts";
import { containerTurns } from "./node-container.ts";
import { roleAcknowledgement, roleEnvironment } from "./role-environment.ts";
import { ReplicationNetwork } from "./replication-network.ts";
import { WalArchive } from "./wal-archive.ts";

/** What every node stands on. */
export interface Foundation {
  readonly plan: Plan;
  readonly docker: DockerHosts;
  /** What has to be there before the files of any node are written. */
  readonly beforeFiles: readonly pulumi.Resource[];
  readonly network: ReplicationNetwork;
  readonly credentials: Credentials;
  readonly volumes: DataVolumes;
  /** undefined: WAL is not archived. */
  readonly archive: WalArchive | undefined;
}

/** Checks the engine, and on it makes the network (the slowest of all: first), the secrets and the volumes. */
export function layFoundation(plan: Plan, chosen: ChosenSecrets, projectDirectory: string): Foundation {
  const engine = checkedEngine(plan, chosen, projectDirectory);
  const docker = new DockerHosts(plan);
  const opts = { dependsOn: engine };
  const { archiveVolume } = plan;
  return {
    plan,
    docker,
    beforeFiles: [engine, ...parameterCheck(plan, engine)],
    network: new ReplicationNetwork("replication", plan, docker, opts),
    credentials: new Credentials("credentials", plan, chosen),
    volumes: new DataVolumes("data-volumes", plan, docker, opts),
    archive: archiveVolume === null ? undefined : new WalArchive("wal-archive", plan, archiveVolume, opts),
  };
}

function nodePorts({ nodes }: Plan): NodePort[] {
  return nodes.flatMap(({ name, container, published, host }) =>
    published === null ? [] : [{ node: name, container, ...published, ...onHost(host) }],
  );
}

function monitoringPorts({ prometheus, exporters }: MonitoringPlan): NodePort[] {
  return [
    ...(prometheus.published === null
      ? []
      : [
          {
            node: "Prometheus",
            container: prometheus.container,
            ...prometheus.published,
            ...onHost(prometheus.host),
          },
        ]),
    ...exporters.flatMap(({ node, container, host: place, published }) =>
      published.map(({ host, port }) => ({
        node: `the exporter of ${node}`,
        container,
        host,
        port,
        ...onHost(place),
      })),
    ),
  ];
}

const onHost = (host: HostPlan | null): { on?: string } => (host === null ? {} : { on: host.name });

/** With hosts it matters where that is. */
function backupServer({ backup }: Plan): { backupServer?: PlacedNode } {
  if (backup === null || backup.host === null) return {};
  return { backupServer: { name: backup.hostname, container: backup.container, host: backup.host } };
}

function parameterCheck(plan: Plan, engine: DockerEngine): ParameterCheck[] {
  const { parameterCheck: check, image, labels, primary } = plan;
  if (check === null) return [];
  return [new ParameterCheck("parameters", { ...check, image, labels, ...on(primary.host) }, { dependsOn: engine })];
}

/** The engine, looked over and cleared before anything is made on it. */
function checkedEngine(plan: Plan, { passwords }: ChosenSecrets, projectDirectory: string): DockerEngine {
  return new DockerEngine("engine", {
    image: plan.image,
    images: [...new Set([plan.image, ...plan.nodes.map((node) => node.image)])],
    postgresMajor: plan.postgresMajor,
    network: { name: plan.network.name, subnet: plan.network.subnet },
    ports: [...nodePorts(plan), ...(plan.monitoring === null ? [] : monitoringPorts(plan.monitoring))],
    addresses: plan.nodes.flatMap(({ name, container, address }) =>
      address === null ? [] : [{ node: name, container, address }],
    ),
    ...(plan.hosts.length === 0 ? {} : { hosts: plan.hosts }),
    ...nodeMarks(plan),
    scratchLabel: LABELS.scratch,
    primary: placed(plan.primary),
    ...backupServer(plan),
    dataDirectory: plan.layout.dataDirectory,
    dataMount: plan.layout.dataMount,
    dataVolumes: plan.nodes.map((node) => ({ ...placed(node), volume: node.dataVolume })),
    irreplaceableVolumes: plan.irreplaceableVolumes,
    synchronousStandbys: plan.synchronousStandbys,
    acknowledge: { volumes: plan.acknowledge.volumes, synchronous: plan.acknowledge.synchronous },
    environment: roleEnvironment(plan),
    acknowledgement: roleAcknowledgement(plan),
    guarantee: plan.guarantee,
    bootstrap: plan.bootstrap,
    whenStandbyMissing: plan.whenStandbyMissing,
    deletionProtection: plan.deletionProtection,
    turns: { label: LABELS.generation, order: containerTurns(plan) },
    logins: {
      replicationUser: plan.replicationUser.name,
      replicationPassword: pulumi.secret(passwords.replication),
      operatorPassword: passwords.operator,
    },
    projectDirectory,
    stack: plan.identity.stack,
  });
}
