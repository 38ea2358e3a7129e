import { readFileSync } from "node:fs";
import { render } from "../config-templates/render.ts";
import type { MonitoringSettings, NodeSettings, Settings } from "../settings/settings.ts";
import { MAINTENANCE_DATABASE, MONITORING_ROLE } from "./access-rules.ts";
import { builtImageName } from "./built-image.ts";
import { hostPlan } from "./host-plan.ts";
import { BACKUP_METRICS_PORT, CONFIGURATION_FILES, PROMETHEUS_HOME, SERVER_PORT } from "./layout.ts";
import * as names from "./names.ts";
import type { StackIdentity } from "./names.ts";
import type { ExporterPlan, MonitoringPlan, PlannedFile, PublishedPort } from "./plan.ts";
import { monitoringRole } from "./roles.ts";

/** As images/monitoring/export-metrics has them. */
const EXPORTER_PORTS = { postgres: 9187, engine: 9100 };

const PROMETHEUS_PORT = 9090;
const SCRAPE_SECONDS = 5;
const RETENTION = "15d";

/** Prometheus asks nobody for a password: other machines reach it by an SSH tunnel. */
const LOOPBACK_ADDRESS = "127.0.0.1";

/** The exporters and Prometheus; null where nothing is watched. */
export function monitoringPlan(settings: Settings, identity: StackIdentity): MonitoringPlan | null {
  const { monitoring, nodes } = settings;
  if (!monitoring.enabled) return null;
  const prometheus = names.prometheusName(identity);
  return {
    image: builtImageName("monitoring", settings.image),
    role: monitoringRole(),
    exporterVolume: names.exporterVolumeName(identity),
    exporterFiles: [{ path: CONFIGURATION_FILES.queries, content: render("queries.yml", {}), mode: 0o644 }],
    exporters: nodes.map((node) => exporterPlan(settings, identity, node)),
    prometheus: {
      container: prometheus,
      host: monitoring.host === null ? null : hostPlan(monitoring.host),
      volume: `${prometheus}-data`,
      configurationVolume: `${prometheus}-configuration`,
      port: PROMETHEUS_PORT,
      published: monitoring.port === null ? null : { host: LOOPBACK_ADDRESS, port: monitoring.port },
      arguments: [
        `--config.file=${CONFIGURATION_FILES.prometheus}`,
        `--storage.tsdb.path=${PROMETHEUS_HOME}`,
        `--storage.tsdb.retention.time=${RETENTION}`,
        `--web.listen-address=:${PROMETHEUS_PORT}`,
        "--log.level=warn",
      ],
      files: prometheusFiles(identity, settings),
    },
    delayed: nodes.filter(({ applyDelay }) => applyDelay !== null).map(({ name }) => name),
    backupSlots: settings.backup.enabled ? [names.BACKUP_SLOT] : [],
    backupMaximumAges: settings.backup.enabled ? [ageSeconds(settings.backup.lastBackupMaximumAge)] : [],
  };
}

function exporterPlan({ monitoring }: Settings, identity: StackIdentity, node: NodeSettings): ExporterPlan {
  const { name, host } = node;
  const options = `sslmode=verify-full&sslrootcert=${CONFIGURATION_FILES.certificateAuthority}`;
  return {
    node: name,
    container: names.exporterName(identity, name),
    host: host === null ? null : hostPlan(host),
    hostname: names.exporterHost(name),
    published: publishedPorts(monitoring, node),
    environment: [
      `DATA_SOURCE_PASS_FILE=${CONFIGURATION_FILES.exporterPassword}`,
      `DATA_SOURCE_URI=${name}:${SERVER_PORT}/${MAINTENANCE_DATABASE}?${options}`,
      `DATA_SOURCE_USER=${MONITORING_ROLE}`,
    ],
    arguments: [`--extend.query-path=${CONFIGURATION_FILES.queries}`],
  };
}

/** Whoever reaches them sees the metrics: they are published only where Prometheus is on another host. */
function publishedPorts({ host: place }: MonitoringSettings, { host, metricsPort }: NodeSettings): PublishedPort[] {
  if (host === null || metricsPort === null || host.name === place?.name) return [];
  return [
    { host: host.address, port: metricsPort, internal: EXPORTER_PORTS.postgres },
    { host: host.address, port: metricsPort + 1, internal: EXPORTER_PORTS.engine },
  ];
}

/** Where Prometheus finds an exporter, by the port that it has in its container. */
function exporterAddress({ monitoring }: Settings, node: NodeSettings, internal: number): string {
  const published = publishedPorts(monitoring, node).find((port) => port.internal === internal);
  return published === undefined
    ? `${names.exporterHost(node.name)}:${internal}`
    : `${published.host}:${published.port}`;
}

function prometheusFiles(identity: StackIdentity, settings: Settings): PlannedFile[] {
  const { nodes, backup } = settings;
  const { alerts, facts } = CONFIGURATION_FILES;
  const scraped = nodes.map((node) => ({
    node: node.name,
    postgres: exporterAddress(settings, node, EXPORTER_PORTS.postgres),
    engine: exporterAddress(settings, node, EXPORTER_PORTS.engine),
  }));
  const backups = backup.enabled
    ? [{ name: names.BACKUP_HOST, target: `${names.BACKUP_HOST}:${BACKUP_METRICS_PORT}` }]
    : [];
  const values = { ...identity, scrapeSeconds: SCRAPE_SECONDS, alerts, facts, nodes: scraped, backups };
  return [
    { path: CONFIGURATION_FILES.prometheus, content: render("prometheus.yml", values), mode: 0o644 },
    { path: alerts, content: readFileSync(ALERTS, "utf8"), mode: 0o644 },
  ];
}

const ALERTS = new URL("../config-templates/alerts.yml", import.meta.url);

/** When the certificate of a node ends. */
export interface CertificateEnd {
  readonly node: string;
  /** Since 1970. */
  readonly endsAtSeconds: number;
}

const UNIT_SECONDS = { HOUR: 3600, DAY: 86_400, WEEK: 7 * 86_400, MONTH: 31 * 86_400 };

/** As Barman takes it. @param age for example "2 DAYS". */
function ageSeconds(age: string): number {
  const [, count = "", unit = ""] = /^(\d+) (\w+?)S?$/.exec(age) ?? [];
  return Number(count) * UNIT_SECONDS[unit as keyof typeof UNIT_SECONDS];
}

/** Rules with what alerts have to know, and no server says. */
export function factsFile(monitoring: MonitoringPlan, certificates: readonly CertificateEnd[]): string {
  const { delayed, backupSlots, backupMaximumAges } = monitoring;
  return render("facts.yml", { certificates, delayed, backupSlots, backupMaximumAges });
}
