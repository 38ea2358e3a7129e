import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { CONFIGURATION_FILES, CONFIGURATION_MOUNT, POSTGRES_UID } from "../plan/layout.ts";
import { LABELS } from "../plan/names.ts";
import { passfileLine } from "../plan/passfile.ts";
import { nodeMarks, on, placed } from "../plan/placed.ts";
import type { NodePlan } from "../plan/plan.ts";
import { ContainerTurn } from "../provider/resources/container-turn.ts";
import { Server } from "../provider/resources/server.ts";
import { ServerCertificate } from "../provider/resources/server-certificate.ts";
import { VolumeFiles } from "../provider/resources/volume-files.ts";
import type { Foundation } from "./foundation.ts";
import { asLabels } from "./labels.ts";
import { earlierTurns, generationOf, nodeContainer } from "./node-container.ts";
import { serverFilesOf } from "./server-files.ts";

/**
 * One node: configuration files, a container, and the server in it. Its role is no part of it: `Primary` and `Standby`
 * register the same type, so that a change of role moves no URN and touches no container.
 */
export abstract class PostgresNode extends pulumi.ComponentResource {
  readonly node: NodePlan;
  readonly files: VolumeFiles;
  readonly certificate: ServerCertificate;
  protected readonly foundation: Foundation;
  protected readonly container: docker.Container;

  constructor(foundation: Foundation, node: NodePlan) {
    super("pgtopology:index:PostgresNode", node.name, {});
    this.foundation = foundation;
    this.node = node;
    this.certificate = this.#certificate();
    this.files = this.#configuration();
    this.container = this.#container();
  }

  /** The running server, once everything that it needs is there. */
  protected newServer(dependsOn: readonly pulumi.Resource[]): Server {
    const { node, container } = this;
    return new Server(
      `${node.name}-server`,
      {
        node: placed(node),
        containerId: container.id,
        operator: this.foundation.credentials.operator,
        slot: node.slot,
        ...nodeMarks(this.foundation.plan),
        serverFiles: serverFilesOf(this.foundation.plan, node),
      },
      { parent: this, dependsOn: [container, ...dependsOn] },
    );
  }

  #certificate(): ServerCertificate {
    const { authority } = this.foundation.credentials;
    return new ServerCertificate(
      `${this.node.name}-certificate`,
      {
        names: this.node.certificateNames,
        authorityCertificatePem: authority.certificatePem,
        authorityPrivateKeyPem: authority.privateKeyPem,
      },
      { parent: this },
    );
  }

  #configuration(): VolumeFiles {
    const { plan, docker: hosts, beforeFiles, credentials } = this.foundation;
    const { node } = this;
    const { certificate } = this;
    const chain = pulumi.concat(certificate.certificatePem, credentials.authority.crossPem);
    const passfile = credentials.replicationPassword.apply((password) =>
      passfileLine(plan.replicationUser.name, password),
    );
    const volume = new docker.Volume(
      `${node.name}-configuration`,
      { name: node.configurationVolume, labels: asLabels(node.labels) },
      {
        parent: this,
        ...hosts.on(node.host),
        dependsOn: [...beforeFiles],
        ignoreChanges: ["labels", "driver", "driverOpts"],
      },
    );
    return new VolumeFiles(
      `${node.name}-files`,
      {
        image: plan.image,
        ...on(node.host),
        volume: node.configurationVolume,
        mount: CONFIGURATION_MOUNT,
        files: [
          ...node.files,
          {
            path: CONFIGURATION_FILES.certificateAuthority,
            content: credentials.authority.trustedPem,
            mode: 0o644,
          },
          { path: CONFIGURATION_FILES.serverCertificate, content: chain, mode: 0o644 },
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

  #container(): docker.Container {
    const { plan, docker: hosts, network, volumes, archive, credentials } = this.foundation;
    const { node } = this;
    const turn = new ContainerTurn(
      `${node.name}-turn`,
      {
        node: placed(node),
        generation: generationOf(plan, node),
        label: LABELS.generation,
        after: earlierTurns(plan, node),
        operator: credentials.operator,
        ...nodeMarks(plan),
      },
      { parent: this },
    );
    // Plain names, not outputs of these: a replaced network must not drag the containers along.
    const made = [
      network.on(node.host),
      volumes.of(node),
      this.files,
      ...(archive === undefined ? [] : [archive.files]),
    ];
    return new docker.Container(`${node.name}-container`, nodeContainer(plan, node), {
      parent: this,
      ...hosts.on(node.host),
      dependsOn: [...made, turn],
    });
  }
}
