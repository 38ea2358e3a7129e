import type { NodeSettings, Settings } from "../settings/settings.ts";
import { ARCHIVE_MOUNT, CONFIGURATION_FILES } from "./layout.ts";
import { slotName } from "./names.ts";
import type { Parameter } from "./parameters.ts";
import { primaryConninfo } from "./primary-conninfo.ts";
import { synchronousStandbyNames } from "./synchronous-standby-names.ts";

/** What differs from node to node: the lines of replication.conf. */
export function replicationParameters(settings: Settings, node: NodeSettings): Parameter[] {
  return [
    {
      name: "cluster_name",
      value: node.name,
      reason: "names the node in process titles and in its standbys' conninfo",
    },
    ...streaming(settings, node),
    ...delay(node),
    ...archive(settings),
  ];
}

function streaming(settings: Settings, node: NodeSettings): Parameter[] {
  if (settings.nodes.length === 1) return [];
  return [
    {
      name: "primary_conninfo",
      value: primaryConninfo(settings, node),
      reason: node.upstream === null ? "all other nodes: whichever is writable" : `cascades from ${node.upstream}`,
    },
    { name: "primary_slot_name", value: slotName(node.name), reason: "its slot, wherever it streams from" },
    {
      name: "synchronous_standby_names",
      value: synchronousStandbyNames(settings, node.name),
      reason: "who confirms a commit while this node is the primary",
    },
  ];
}

function delay(node: NodeSettings): Parameter[] {
  if (node.applyDelay === null) return [];
  return [
    { name: "recovery_min_apply_delay", value: node.applyDelay, reason: "a delayed standby: time to stop a mistake" },
    { name: "hot_standby_feedback", value: "off", reason: "a delayed standby would hold back vacuum by its delay" },
  ];
}

function archive(settings: Settings): Parameter[] {
  if (!settings.archiving.enabled) return [];
  return [
    { name: "restore_command", value: `cp ${ARCHIVE_MOUNT}/%f %p`, reason: "what the upstream has no longer" },
    {
      name: "archive_cleanup_command",
      value: `${CONFIGURATION_FILES.recordArchiveNeed} %r`,
      reason: "tells the archive what this standby needs; removes nothing",
    },
  ];
}
