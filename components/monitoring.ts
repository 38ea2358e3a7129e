import { X509Certificate } from "node:crypto";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { CONFIGURATION_FILES, CONFIGURATION_MOUNT, POSTGRES_UID, PROMETHEUS_HOME } from "../plan/layout.ts";
import { factsFile } from "../plan/monitoring.ts";
import type { CertificateEnd } from "../plan/monitoring.ts";
import { LABELS } from "../plan/names.ts";
import { nodeMarks } from "../plan/placed.ts";
import type { ExporterPlan, MonitoringPlan, PrometheusPlan } from "../plan/plan.ts";
import { Password } from "../provider/resources/password.ts";
import { Role } from "../provider/resources/role.ts";
import { VolumeFiles } from "../provider/resources/volume-files.ts";
import type { VolumeFilesInputs } from "../provider/resources/volume-files.ts";
import type { InputsOf } from "../provider/resources/inputs-of.ts";
import { besideServers } from "./beside-servers.ts";
import { builtImage } from "./built-image.ts";
import { PASSWORD_LENGTH } from "./credentials.ts";
import type { Foundation } from "./foundation.ts";
import { asLabels } from "./labels.ts";
import type { PostgresNode } from "./postgres-node.ts";
import type { Primary } from "./primary.ts";
import type { Topology } from "./topology.ts";

/** What watches the servers: a role, an exporter for each node, and Prometheus. */
export class Monitoring extends pulumi.ComponentResource {
  readonly #foundation: Foundation;
  readonly #monitoring: MonitoringPlan;
  readonly #name: string;

  constructor(
    name: string,
    foundation: Foundation,
    monitoring: MonitoringPlan,
    primary: Primary,
    nodes: readonly PostgresNode[],
    topology: Topology,
  ) {
    super("pgtopology:index:Monitoring", name, {});
    this.#name = name;
    this.#foundation = foundation;
    this.#monitoring = monitoring;
    const { prometheus, image: tag } = monitoring;
    const password = new Password(`${name}-password`, { length: PASSWORD_LENGTH, version: 1 }, { parent: this });
    const role = this.#role(password, primary);
    const image = builtImage(`${name}-image`, "monitoring", tag, foundation, null, this);
    const exporterFiles = this.#exporterFiles(password);
    const prometheusFiles = this.#prometheusFiles(prometheus, nodes);
    // The servers have read that the role may come in.
    const exporters = monitoring.exporters.map((exporter) =>
      this.#exporter(exporter, exporterFiles, [image, role, topology.verified]),
    );
    this.#prometheus(prometheus, prometheusFiles, exporters);
    this.registerOutputs({});
  }

  #role(password: Password, primary: Primary): Role {
    const { plan } = this.#foundation;
    return new Role(
      `${this.#name}-role`,
      { ...nodeMarks(plan), role: this.#monitoring.role, password: password.value },
      { parent: this, dependsOn: primary.server, deletedWith: primary.cluster },
    );
  }

  #exporterFiles(password: Password): VolumeFiles {
    const { exporterVolume, exporterFiles, exporters } = this.#monitoring;
    const authority = this.#foundation.credentials.authority.trustedPem;
    return this.#files(`${this.#name}-exporter`, exporterVolume, exporters[0]?.container ?? "", [
      ...exporterFiles,
      { path: CONFIGURATION_FILES.certificateAuthority, content: authority, mode: 0o644 },
      { path: CONFIGURATION_FILES.exporterPassword, content: password.value, mode: 0o600 },
    ]);
  }

  #prometheusFiles({ container, configurationVolume, files }: PrometheusPlan, nodes: readonly PostgresNode[]) {
    const ends = pulumi.all(
      nodes.map(({ node, certificate }) => certificate.certificatePem.apply((pem) => endOf(node.name, pem))),
    );
    const facts = ends.apply((certificates) => factsFile(this.#monitoring, certificates));
    return this.#files(`${this.#name}-prometheus`, configurationVolume, container, [
      ...files,
      { path: CONFIGURATION_FILES.facts, content: facts, mode: 0o644 },
    ]);
  }

  #files(name: string, volume: string, through: string, files: InputsOf<VolumeFilesInputs>["files"]): VolumeFiles {
    const { plan } = this.#foundation;
    const made = this.#volume(`${name}-configuration`, volume);
    const mount = CONFIGURATION_MOUNT;
    const more = { uid: POSTGRES_UID, labels: plan.labels, through, serverFiles: [] };
    return new VolumeFiles(
      `${name}-files`,
      { image: plan.image, volume, mount, files, ...more },
      { parent: this, dependsOn: made },
    );
  }

  #volume(name: string, volume: string): docker.Volume {
    const { plan, beforeFiles } = this.#foundation;
    return new docker.Volume(
      name,
      { name: volume, labels: asLabels(plan.labels) },
      { parent: this, dependsOn: [...beforeFiles], ignoreChanges: ["labels", "driver", "driverOpts"] },
    );
  }

  #exporter(exporter: ExporterPlan, files: VolumeFiles, dependsOn: readonly pulumi.Resource[]): docker.Container {
    const { exporterVolume } = this.#monitoring;
    const { node, host, container, environment } = exporter;
    return new docker.Container(
      `${this.#name}-${node}`,
      {
        ...this.#container(container, files),
        // No host name: of one with a dot the first part would be this container, and it is the node.
        command: [...exporter.arguments],
        envs: [...environment],
        mounts: [{ type: "volume", source: exporterVolume, target: CONFIGURATION_MOUNT, readOnly: true }],
        networksAdvanced: [{ name: this.#foundation.plan.network.name, aliases: [host] }],
      },
      { parent: this, dependsOn: [this.#foundation.network.on(null), files, ...dependsOn] },
    );
  }

  #prometheus(prometheus: PrometheusPlan, files: VolumeFiles, exporters: readonly docker.Container[]): void {
    const { container, volume, configurationVolume, port, published } = prometheus;
    const data = this.#volume(`${this.#name}-data`, volume);
    new docker.Container(
      `${this.#name}-container`,
      {
        ...this.#container(container, files),
        entrypoints: ["prometheus"],
        command: [...prometheus.arguments],
        mounts: [
          { type: "volume", source: volume, target: PROMETHEUS_HOME, readOnly: false },
          { type: "volume", source: configurationVolume, target: CONFIGURATION_MOUNT, readOnly: true },
        ],
        networksAdvanced: [{ name: this.#foundation.plan.network.name }],
        ports:
          published === null ? [] : [{ internal: port, external: published.port, ip: published.host, protocol: "tcp" }],
      },
      { parent: this, dependsOn: [data, files, ...exporters] },
    );
  }

  #container(name: string, files: VolumeFiles): docker.ContainerArgs {
    const { plan } = this.#foundation;
    return {
      name,
      image: this.#monitoring.image,
      labels: [{ label: LABELS.filesWrittenAt, value: files.writtenAt }, ...asLabels(plan.labels)],
      ...besideServers(plan, STOP_TIMEOUT_SECONDS),
    };
  }
}

const STOP_TIMEOUT_SECONDS = 10;

const endOf = (node: string, pem: string): CertificateEnd => ({
  node,
  endsAtSeconds: new X509Certificate(pem).validToDate.getTime() / 1000,
});
