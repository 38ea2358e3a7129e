import { CONFIGURATION_MOUNT, POSTGRES_UID } from "../plan/layout.ts";
import { on } from "../plan/placed.ts";
import type { NodePlan, Plan } from "../plan/plan.ts";
import type { VolumeContents } from "../operations/volume-files.ts";

/** The files that the server of a node is configured by, and where they are. */
export const serverFilesOf = (plan: Plan, node: NodePlan): VolumeContents => ({
  ...on(node.host),
  image: plan.image,
  volume: node.configurationVolume,
  mount: CONFIGURATION_MOUNT,
  files: node.serverFiles,
  uid: POSTGRES_UID,
  labels: plan.labels,
});
