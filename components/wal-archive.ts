import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { ARCHIVE_MOUNT, POSTGRES_UID } from "../plan/layout.ts";
import type { Plan } from "../plan/plan.ts";
import { VolumeFiles } from "../provider/resources/volume-files.ts";
import { asLabels } from "./labels.ts";

const NOTE = `The WAL archive of this topology. Segments are removed by archive-wal alone, once no base backup in
base/ and no standby (needs/) wants them. Never remove them by age: a restore needs every one without a gap.
`;

/** The volume that WAL is archived to. */
export class WalArchive extends pulumi.ComponentResource {
  readonly files: VolumeFiles;

  constructor(name: string, plan: Plan, volumeName: string, opts: pulumi.ComponentResourceOptions) {
    super("pgtopology:index:WalArchive", name, {}, opts);
    const volume = new docker.Volume(
      volumeName,
      { name: volumeName, labels: asLabels(plan.labels) },
      { parent: this, protect: plan.deletionProtection, ignoreChanges: ["labels", "driver", "driverOpts"] },
    );
    this.files = new VolumeFiles(
      `${name}-files`,
      {
        image: plan.image,
        volume: volumeName,
        mount: ARCHIVE_MOUNT,
        files: [{ path: `${ARCHIVE_MOUNT}/README`, content: NOTE, mode: 0o644 }],
        uid: POSTGRES_UID,
        labels: plan.labels,
        through: plan.primary.container,
        serverFiles: [],
      },
      { parent: this, dependsOn: volume },
    );
    this.registerOutputs({});
  }
}
