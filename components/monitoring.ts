import { X509Certificate } from "node:crypto";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { CONFIGURATION_FILES, CONFIGURATION_MOUNT, POSTGRES_UID, PROMETHEUS_HOME } from "../plan/layout.ts";
import { factsFile } from "../plan/monitoring.ts";
import type { CertificateEnd } from "../plan/monitoring.ts";
import { LABELS } from "../plan/names.ts";
import { nodeMarks, on } from "../plan/placed.ts";
import type { ExporterPlan, HostPlan, MonitoringPlan, PrometheusPlan, PublishedPort } from "../plan/plan.ts";
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
    const { prometheus, exporters } = monitoring;
    const password = new Password(`${name}-password`, { length: PASSWORD_LENGTH, version: 1 }, { parent: this });
    const role = this.#role(password, primary);
    const images = this.#images([...exporters, prometheus].map(({ host }) => host));
    const prometheusFiles = this.#prometheusFiles(prometheus, nodes);
    // The servers have read that the role may come in.
    const watched = [...Map.groupBy(exporters, ({ host }) => host?.name).values()].flatMap((beside) => {
      const files = this.#exporterFiles(password, beside);
      return beside.map((exporter) => this.#exporter(exporter, files, [...images, role, topology.verified]));
    });
    this.#prometheus(prometheus, prometheusFiles, [...images, ...watched]);
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

  /** One for each engine. A host brings the image to itself, and gets it from the engine of this machine, if that is one of them. */
  #images(places: readonly (HostPlan | null)[]): pulumi.Resource[] {
    const byName = [...new Map(places.map((place) => [place?.name, place])).values()];
    const here = byName.filter((place) => place === null || place.docker.startsWith("unix:"));
    const away = byName.filter((place) => !here.includes(place));
    const name = (place: HostPlan | null): string => onHost(`${this.#name}-image`, place);
    const { image } = this.#monitoring;
    const first = here.map((place) => builtImage(name(place), "monitoring", image, this.#foundation, place, this));
    const foundation = { ...this.#foundation, beforeFiles: [...this.#foundation.beforeFiles, ...first] };
    return [...first, ...away.map((place) => builtImage(name(place), "monitoring", image, foundation, place, this))];
  }

  /** What the exporters of one engine read. */
  #exporterFiles(password: Password, [first]: readonly ExporterPlan[]): VolumeFiles {
    const { exporterVolume, exporterFiles } = this.#monitoring;
    const authority = this.#foundation.credentials.authority.trustedPem;
    const place = first?.host ?? null;
    return this.#files(onHost(`${this.#name}-exporter`, place), place, exporterVolume, first?.container ?? "", [
      ...exporterFiles,
      { path: CONFIGURATION_FILES.certificateAuthority, content: authority, mode: 0o644 },
      { path: CONFIGURATION_FILES.exporterPassword, content: password.value, mode: 0o600 },
    ]);
  }

  #prometheusFiles({ container, host, configurationVolume, files }: PrometheusPlan, nodes: readonly PostgresNode[]) {
    const ends = pulumi.all(
      nodes.map(({ node, certificate }) => certificate.certificatePem.apply((pem) => endOf(node.name, pem))),
    );
    const facts = ends.apply((certificates) => factsFile(this.#monitoring, certificates));
    return this.#files(`${this.#name}-prometheus`, host, configurationVolume, container, [
      ...files,
      { path: CONFIGURATION_FILES.facts, content: facts, mode: 0o644 },
    ]);
  }

  #files(
    name: string,
    host: HostPlan | null,
    volume: string,
    through: string,
    files: InputsOf<VolumeFilesInputs>["files"],
  ): VolumeFiles {
    const { plan } = this.#foundation;
    const made = this.#volume(`${name}-configuration`, host, volume);
    const mount = CONFIGURATION_MOUNT;
    const more = { uid: POSTGRES_UID, labels: plan.labels, through, serverFiles: [] };
    return new VolumeFiles(
      `${name}-files`,
      { image: plan.image, ...on(host), volume, mount, files, ...more },
      { parent: this, dependsOn: made },
    );
  }

  #volume(name: string, host: HostPlan | null, volume: string): docker.Volume {
    const { plan, docker: hosts, beforeFiles } = this.#foundation;
    return new docker.Volume(
      name,
      { name: volume, labels: asLabels(plan.labels) },
      {
        parent: this,
        ...hosts.on(host),
        dependsOn: [...beforeFiles],
        ignoreChanges: ["labels", "driver", "driverOpts"],
      },
    );
  }

  #exporter(exporter: ExporterPlan, files: VolumeFiles, dependsOn: readonly pulumi.Resource[]): docker.Container {
    const { exporterVolume } = this.#monitoring;
    const { plan, docker: hosts, network } = this.#foundation;
    const { node, host, hostname, container, environment } = exporter;
    return new docker.Container(
      `${this.#name}-${node}`,
      {
        ...this.#container(container, files),
        // No host name: of one with a dot the first part would be this container, and it is the node.
        command: [...exporter.arguments],
        envs: [...environment],
        mounts: [{ type: "volume", source: exporterVolume, target: CONFIGURATION_MOUNT, readOnly: true }],
        networksAdvanced: [{ name: plan.network.name, aliases: [hostname] }],
        ...(exporter.published.length === 0 ? {} : { ports: exporter.published.map(publishedPort) }),
      },
      { parent: this, ...hosts.on(host), dependsOn: [network.on(host), files, ...dependsOn] },
    );
  }

  #prometheus(prometheus: PrometheusPlan, files: VolumeFiles, dependsOn: readonly pulumi.Resource[]): void {
    const { container, host, volume, configurationVolume, port, published } = prometheus;
    const { plan, docker: hosts, network } = this.#foundation;
    const data = this.#volume(`${this.#name}-data`, host, volume);
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
        networksAdvanced: [{ name: plan.network.name }],
        ports: published === null ? [] : [publishedPort({ ...published, internal: port })],
      },
      { parent: this, ...hosts.on(host), dependsOn: [network.on(host), data, files, ...dependsOn] },
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

/** The name of a resource that each host has one of. */
const onHost = (name: string, host: HostPlan | null): string => (host === null ? name : `${name}-${host.name}`);

const publishedPort = ({ host, port, internal }: PublishedPort): docker.types.input.ContainerPort => ({
  internal,
  external: port,
  ip: host,
  protocol: "tcp",
});

const endOf = (node: string, pem: string): CertificateEnd => ({
  node,
  endsAtSeconds: new X509Certificate(pem).validToDate.getTime() / 1000,
});
