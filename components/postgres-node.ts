import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { ARCHIVE_MOUNT, CONFIGURATION_FILES, CONFIGURATION_MOUNT, POSTGRES_UID, SERVER_PORT } from "../plan/layout.ts";
import { passfileLine } from "../plan/passfile.ts";
import type { NodePlan } from "../plan/plan.ts";
import { Server } from "../provider/resources/server.ts";
import { ServerCertificate } from "../provider/resources/server-certificate.ts";
import { VolumeFiles } from "../provider/resources/volume-files.ts";
import type { Foundation } from "./foundation.ts";
import { asLabels } from "./labels.ts";

/** A clean stop writes a checkpoint: it may take a while, and must never become a kill. */
const STOP_TIMEOUT_SECONDS = 120;
/** /dev/shm, for parallel queries: Docker's 64 MB are too few. */
const SHM_MEGABYTES = 256;

/**
 * One node: configuration files, a container, and the server in it. Its role is no part of it: `Primary` and `Standby`
 * register the same type, so that a change of role moves no URN and touches no container.
 */
export abstract class PostgresNode extends pulumi.ComponentResource {
  readonly node: NodePlan;
  readonly files: VolumeFiles;
  protected readonly foundation: Foundation;
  protected readonly container: docker.Container;

  constructor(foundation: Foundation, node: NodePlan) {
    super("pgtopology:index:PostgresNode", node.name, {});
    this.foundation = foundation;
    this.node = node;
    this.files = this.#configuration();
    this.container = this.#container();
  }

  /** The running server, once everything that it needs is there. */
  protected newServer(dependsOn: readonly pulumi.Resource[]): Server {
    const { node, container } = this;
    return new Server(
      `${node.name}-server`,
      {
        node: { name: node.name, container: node.container },
        containerId: container.id,
        operator: this.foundation.credentials.operator,
      },
      { parent: this, dependsOn: [container, ...dependsOn] },
    );
  }

  #configuration(): VolumeFiles {
    const { plan, beforeFiles, credentials } = this.foundation;
    const { node } = this;
    const certificate = new ServerCertificate(
      `${node.name}-certificate`,
      {
        names: node.certificateNames,
        authorityCertificatePem: credentials.authority.certificatePem,
        authorityPrivateKeyPem: credentials.authority.privateKeyPem,
      },
      { parent: this },
    );
    const passfile = credentials.replicationPassword.apply((password) =>
      passfileLine(plan.replicationUser.name, password),
    );
    const volume = new docker.Volume(
      `${node.name}-configuration`,
      { name: node.configurationVolume, labels: asLabels(node.labels) },
      { parent: this, dependsOn: [...beforeFiles], ignoreChanges: ["labels", "driver", "driverOpts"] },
    );
    return new VolumeFiles(
      `${node.name}-files`,
      {
        image: plan.image,
        volume: node.configurationVolume,
        mount: CONFIGURATION_MOUNT,
        files: [
          ...node.files,
          {
            path: CONFIGURATION_FILES.certificateAuthority,
            content: credentials.authority.certificatePem,
            mode: 0o644,
          },
          { path: CONFIGURATION_FILES.serverCertificate, content: certificate.certificatePem, mode: 0o644 },
          { path: CONFIGURATION_FILES.serverKey, content: certificate.privateKeyPem, mode: 0o600 },
          { path: CONFIGURATION_FILES.passfile, content: passfile, mode: 0o600 },
        ],
        uid: POSTGRES_UID,
        labels: plan.labels,
        through: node.container,
        serverFiles: node.serverFiles,
      },
      { parent: this, dependsOn: volume },
    );
  }

  /**
   * Constant for as long as the node lives: nearly every change of a container's inputs replaces it. All values are
   * written as the engine reports them, so that a refresh finds no difference.
   */
  #container(): docker.Container {
    const { plan, network, volumes, archive } = this.foundation;
    const { node } = this;
    const volume = (source: string, target: string, readOnly: boolean): docker.types.input.ContainerMount => ({
      type: "volume",
      source,
      target,
      readOnly,
    });
    return new docker.Container(
      `${node.name}-container`,
      {
        name: node.container,
        hostname: node.name,
        image: plan.image,
        entrypoints: [CONFIGURATION_FILES.guard],
        command: ["docker-entrypoint.sh", "postgres", "-c", `config_file=${CONFIGURATION_FILES.postgresqlConf}`],
        envs: [`PGDATA=${plan.layout.dataDirectory}`],
        labels: asLabels(node.labels),
        mounts: [
          volume(node.dataVolume, plan.layout.dataMount, false),
          volume(node.configurationVolume, CONFIGURATION_MOUNT, true),
          ...(plan.archiveVolume === null ? [] : [volume(plan.archiveVolume, ARCHIVE_MOUNT, false)]),
        ],
        networkMode: "bridge",
        networksAdvanced: [
          {
            name: plan.network.name,
            aliases: [node.name],
            ...(node.address === null ? {} : { ipv4Address: node.address }),
          },
        ],
        ports:
          node.published === null
            ? []
            : [{ internal: SERVER_PORT, external: node.published.port, ip: node.published.host, protocol: "tcp" }],
        restart: "unless-stopped",
        stopSignal: "SIGINT",
        stopTimeout: STOP_TIMEOUT_SECONDS,
        destroyGraceSeconds: STOP_TIMEOUT_SECONDS,
        shmSize: SHM_MEGABYTES,
        // A stopped node is started by its Server, not replaced.
        mustRun: false,
      },
      {
        parent: this,
        // Plain names, not outputs of these: a replaced network must not drag the containers along.
        dependsOn: [network.network, volumes.of(node), this.files, ...(archive === undefined ? [] : [archive.files])],
      },
    );
  }
}
