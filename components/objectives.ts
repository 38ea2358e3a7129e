import { placed } from "../plan/placed.ts";
import type { Plan } from "../plan/plan.ts";
import { Objectives } from "../provider/resources/objectives.ts";
import type { BackupServer } from "./backup-server.ts";
import type { Topology } from "./topology.ts";

/** Holds what was measured against the objectives of the stack file, when everything else is done. */
export function keepObjectives(plan: Plan, topology: Topology, backup: BackupServer | null): void {
  if (plan.objectives === null) return;
  const { enforce, ...objectives } = plan.objectives;
  const { primary, standbys } = plan;
  const drill = backup?.drill;
  new Objectives(
    "objectives",
    {
      objectives,
      enforce,
      nodes: [primary, ...standbys].map(placed),
      standbys: standbys.filter(({ applyDelay }) => applyDelay === null).map(placed),
      lastDrill: drill?.lastDrill ?? null,
      lastSwitchover: topology.outputs.lastSwitchover,
      lastRestart: topology.outputs.lastRestart,
    },
    {
      dependsOn: [
        topology.verified,
        ...(backup === null ? [] : [backup.server]),
        ...(drill === undefined ? [] : [drill]),
      ],
    },
  );
}
