import { engineOf, hasFile } from "./engine.ts";
import type { Finding } from "./findings.ts";
import type { RoleEnvironment } from "./role-environment.ts";
import { primaryOf } from "./topology.ts";
import type { TopologyShape } from "./topology.ts";

/**
 * A switchover that was interrupted and then taken back may leave its primary held as a standby from its next start on.
 * The server that runs does not notice, and nothing else tells.
 */
export async function leftOverHold(shape: TopologyShape, { dataDirectory }: RoleEnvironment): Promise<Finding[]> {
  const primary = primaryOf(shape);
  if (primary === undefined) return [];
  const held = await hasFile(engineOf(primary), primary.container, `${dataDirectory}/standby.signal`).catch(
    () => false,
  );
  return held ? [heldAsStandby(primary.name)] : [];
}

/** Of a primary that has a standby.signal. */
export const heldAsStandby = (node: string): Finding => ({
  kind: "held-as-standby",
  node,
  what: "an interrupted switchover left it to start as a standby next time: nobody would take writes",
  remedy: "it stays the primary",
});
