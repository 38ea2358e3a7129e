import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import {
  BACKUP_HOME,
  CONFIGURATION_FILES,
  CONFIGURATION_MOUNT,
  DRILL_RECORD,
  POSTGRES_UID,
  barmanFolders,
} from "../plan/layout.ts";
import { passfileLine } from "../plan/passfile.ts";
import { nodeMarks, on } from "../plan/placed.ts";
import type { BackupPlan, Plan } from "../plan/plan.ts";
import { BackupServer as BackupServerResource } from "../provider/resources/backup-server.ts";
import { Password } from "../provider/resources/password.ts";
import { RestoreDrill } from "../provider/resources/restore-drill.ts";
import { Role } from "../provider/resources/role.ts";
import { VolumeFiles } from "../provider/resources/volume-files.ts";
import { besideServers } from "./beside-servers.ts";
import { builtImage } from "./built-image.ts";
import { PASSWORD_LENGTH } from "./credentials.ts";
import type { Foundation } from "./foundation.ts";
import { asLabels } from "./labels.ts";
import type { Primary } from "./primary.ts";
import type { Topology } from "./topology.ts";

const STOP_TIMEOUT_SECONDS = 30;

/** Barman: its image, its volumes and container, the two roles that it logs in as, and the server once it has a backup. */
export class BackupServer extends pulumi.ComponentResource {
  readonly server: BackupServerResource;
  /** undefined: there are no drills. */
  readonly drill: RestoreDrill | undefined;

  constructor(name: string, foundation: Foundation, backup: BackupPlan, primary: Primary, topology: Topology) {
    super("pgtopology:index:Backups", name, {});
    const { plan } = foundation;
    const passwords = this.#passwords(name);
    const roles = this.#roles(name, foundation, backup, passwords, primary);
    const files = this.#configuration(name, foundation, backup, passwords);
    const volume = new docker.Volume(
      backup.volume,
      { name: backup.volume, labels: asLabels(plan.labels) },
      {
        parent: this,
        ...foundation.docker.on(backup.host),
        protect: plan.deletionProtection,
        dependsOn: [...foundation.beforeFiles],
        ignoreChanges: ["labels", "driver", "driverOpts"],
      },
    );
    const image = builtImage(`${name}-image`, "barman", backup.image, foundation, backup.host, this);
    const made = [foundation.network.on(backup.host), volume, files, image];
    const container = this.#container(name, foundation, backup, made);
    this.server = new BackupServerResource(
      `${name}-server`,
      {
        ...on(backup.host),
        container: backup.container,
        server: backup.server,
        home: backup.home,
        walFolder: backup.walFolder,
        streamingFolder: backup.streamingFolder,
        baseFolder: backup.baseFolder,
        cronMark: backup.cronMark,
        backupLock: backup.backupLock,
        confirmsWrites: backup.confirmsWrites,
        retention: backup.retention,
        minimumRedundancy: backup.minimumRedundancy,
        takeBackup: CONFIGURATION_FILES.takeBackup,
        slot: backup.slot,
        ...nodeMarks(plan),
        containerId: container.id,
      },
      // The topology has made its slot, and the servers have read that its roles may come in.
      { parent: this, dependsOn: [container, ...roles, topology.verified] },
    );
    this.drill = this.#drill(name, plan, backup);
    this.registerOutputs({});
  }

  #drill(name: string, plan: Plan, { drill, host, image, container, server }: BackupPlan): RestoreDrill | undefined {
    if (drill === null) return undefined;
    const { job, container: scratch, volume, labels, mounts } = drill.node;
    const { restoreScript, serverScript, catalogueScript } = drill.node;
    const scripts = { restoreScript, serverScript, catalogueScript };
    return new RestoreDrill(
      `${name}-drill`,
      {
        server: { container, server, backupFolder: barmanFolders(server).base },
        node: { ...on(host), image, job, container: scratch, volume, labels, mounts, ...scripts },
        database: plan.database.name,
        everySeconds: drill.everySeconds,
        assertions: drill.assertions,
        record: DRILL_RECORD,
        ...nodeMarks(plan),
      },
      { parent: this, dependsOn: this.server },
    );
  }

  #passwords(name: string): Passwords {
    const password = (of: string): pulumi.Output<string> =>
      new Password(`${name}-${of}-password`, { length: PASSWORD_LENGTH, version: 1 }, { parent: this }).value;
    return { backup: password("barman"), streaming: password("streaming") };
  }

  #roles(name: string, { plan }: Foundation, { roles }: BackupPlan, passwords: Passwords, primary: Primary): Role[] {
    const shared = nodeMarks(plan);
    const opts = { parent: this, dependsOn: primary.server, deletedWith: primary.cluster };
    return [
      new Role(`${name}-barman`, { ...shared, role: roles.backup, password: passwords.backup }, opts),
      new Role(`${name}-streaming`, { ...shared, role: roles.streaming, password: passwords.streaming }, opts),
    ];
  }

  #configuration(
    name: string,
    { plan, docker: hosts, beforeFiles, credentials }: Foundation,
    backup: BackupPlan,
    passwords: Passwords,
  ): VolumeFiles {
    const volume = new docker.Volume(
      `${name}-configuration`,
      { name: backup.configurationVolume, labels: asLabels(plan.labels) },
      {
        parent: this,
        ...hosts.on(backup.host),
        dependsOn: [...beforeFiles],
        ignoreChanges: ["labels", "driver", "driverOpts"],
      },
    );
    const passfile = pulumi
      .all([passwords.backup, passwords.streaming])
      .apply(([own, streaming]) =>
        [passfileLine(backup.roles.backup.name, own), passfileLine(backup.roles.streaming.name, streaming)].join(""),
      );
    return new VolumeFiles(
      `${name}-files`,
      {
        image: plan.image,
        ...on(backup.host),
        volume: backup.configurationVolume,
        mount: CONFIGURATION_MOUNT,
        files: [
          ...backup.files,
          {
            path: CONFIGURATION_FILES.certificateAuthority,
            content: credentials.authority.trustedPem,
            mode: 0o644,
          },
          { path: CONFIGURATION_FILES.passfile, content: passfile, mode: 0o600 },
        ],
        uid: POSTGRES_UID,
        labels: plan.labels,
        through: backup.container,
        serverFiles: [],
      },
      { parent: this, dependsOn: volume },
    );
  }

  #container(
    name: string,
    { plan, docker: hosts }: Foundation,
    backup: BackupPlan,
    dependsOn: readonly pulumi.Resource[],
  ): docker.Container {
    return new docker.Container(
      `${name}-container`,
      {
        name: backup.container,
        hostname: backup.hostname,
        image: backup.image,
        labels: asLabels(plan.labels),
        mounts: [
          { type: "volume", source: backup.volume, target: BACKUP_HOME, readOnly: false },
          { type: "volume", source: backup.configurationVolume, target: CONFIGURATION_MOUNT, readOnly: true },
        ],
        networksAdvanced: [{ name: plan.network.name, aliases: [backup.hostname] }],
        healthcheck: {
          tests: ["CMD", "barman", "check", "--nagios", backup.server],
          interval: "1m0s",
          timeout: "30s",
          startPeriod: "1m0s",
          retries: 3,
        },
        ...besideServers(plan, STOP_TIMEOUT_SECONDS),
      },
      { parent: this, ...hosts.on(backup.host), dependsOn: [...dependsOn] },
    );
  }
}

interface Passwords {
  readonly backup: pulumi.Output<string>;
  readonly streaming: pulumi.Output<string>;
}
