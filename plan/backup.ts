import { render } from "../config-templates/render.ts";
import type { NodeSettings, Settings } from "../settings/settings.ts";
import { BACKUP_ROLES, MAINTENANCE_DATABASE } from "./access-rules.ts";
import { builtImageName } from "./built-image.ts";
import { hostPlan } from "./host-plan.ts";
import {
  BACKUP_CRON_MARK,
  BACKUP_HOME,
  BACKUP_METRICS_PORT,
  CONFIGURATION_FILES,
  DRILL_RECORD,
  SUPERUSER_OF_FILES,
  backupLock,
  barmanFolders,
} from "./layout.ts";
import * as names from "./names.ts";
import type { StackIdentity } from "./names.ts";
import type { BackupPlan, PlannedFile } from "./plan.ts";
import { serverConninfo } from "./primary-conninfo.ts";
import { drillNode } from "./restore.ts";
import { backupRoles } from "./roles.ts";

/** The backup server; null where there are no backups. */
export function backupPlan(settings: Settings, identity: StackIdentity): BackupPlan | null {
  if (!settings.backup.enabled) return null;
  const folders = barmanFolders(names.barmanServerName(identity));
  return {
    server: names.barmanServerName(identity),
    host: settings.backup.host === null ? null : hostPlan(settings.backup.host),
    hostname: names.BACKUP_HOST,
    container: names.backupContainerName(identity),
    image: builtImageName("barman", settings.image),
    volume: names.backupVolumeName(identity),
    configurationVolume: names.configurationVolumeName(identity, names.BACKUP_HOST),
    home: BACKUP_HOME,
    walFolder: folders.wals,
    streamingFolder: folders.streaming,
    baseFolder: folders.base,
    cronMark: BACKUP_CRON_MARK,
    backupLock: backupLock(names.barmanServerName(identity)),
    slot: names.BACKUP_SLOT,
    confirmsWrites: isSynchronous(settings),
    retention: settings.backup.retention,
    minimumRedundancy: settings.backup.minimumRedundancy,
    roles: backupRoles(settings.postgresMajor),
    files: files(settings, identity),
    drill: settings.drill.enabled
      ? {
          node: drillNode(identity, settings.postgresMajor),
          everySeconds: settings.drill.everySeconds,
          assertions: settings.drill.assertions,
        }
      : null,
  };
}

function isSynchronous({ replication: { synchronous } }: Settings): boolean {
  return synchronous.mode !== "async" && synchronous.includeBackup;
}

function files(settings: Settings, identity: StackIdentity): PlannedFile[] {
  const server = names.barmanServerName(identity);
  const { from, schedule, compression, retention, minimumRedundancy, lastBackupMaximumAge } = settings.backup;
  const primary = connections(settings.nodes, "primary");
  const source = from === "primary" ? primary : connections(withoutDelay(settings), "prefer-standby");
  const conf = render("barman.conf", {
    retention,
    minimumRedundancy,
    lastBackupMaximumAge,
    user: SUPERUSER_OF_FILES,
    home: BACKUP_HOME,
    server,
    description: `stack ${identity.stack} of ${identity.project}`,
    source,
    wal: from === "primary" ? [] : [primary],
    pathPrefix: `/usr/lib/postgresql/${settings.postgresMajor}/bin`,
    slot: names.BACKUP_SLOT,
    receiver: names.BACKUP_RECEIVER,
    compression: compression === "none" ? [] : [compression],
  });
  const { takeBackup } = CONFIGURATION_FILES;
  const { meta, base } = barmanFolders(server);
  const take = render("take-backup.sh", {
    ...{ server, meta, base, backupLock: backupLock(server) },
    conninfo: primary.sql,
    standbys: from === "primary" ? [] : [source.sql],
  });
  const metrics = settings.monitoring.enabled ? [metricsFile(server)] : [];
  const turn = render("backup-turn.sh", {
    home: BACKUP_HOME,
    cronMark: BACKUP_CRON_MARK,
    schedule,
    takeBackup,
    metrics: metrics.map(({ path }) => path),
  });
  return [
    { path: CONFIGURATION_FILES.barmanConf, content: conf, mode: 0o640 },
    { path: CONFIGURATION_FILES.backupTurn, content: turn, mode: 0o755 },
    { path: takeBackup, content: take, mode: 0o755 },
    ...metrics,
  ];
}

function metricsFile(server: string): PlannedFile {
  const values = { home: BACKUP_HOME, drillRecord: DRILL_RECORD, server, port: BACKUP_METRICS_PORT };
  return { path: CONFIGURATION_FILES.backupMetrics, content: render("backup-metrics.py", values), mode: 0o644 };
}

/** How Barman asks a server, and how it streams from it. */
interface Connections {
  readonly sql: string;
  readonly streaming: string;
}

function connections(nodes: readonly NodeSettings[], target: string): Connections {
  const to = (user: string, own: readonly (readonly [string, string])[]): string =>
    `${serverConninfo(nodes, user, own)} target_session_attrs=${target}`;
  const { backup, streaming } = BACKUP_ROLES;
  return { sql: to(backup, [["dbname", MAINTENANCE_DATABASE]]), streaming: to(streaming, []) };
}

/** A base backup of a delayed standby would end in the past. */
const withoutDelay = ({ nodes }: Settings): NodeSettings[] => nodes.filter(({ applyDelay }) => applyDelay === null);
