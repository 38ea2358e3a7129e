import { join } from "node:path";
import { placed } from "./placed.ts";
import type { PlacedNode } from "./placed.ts";
import type { HostPlan, Plan } from "./plan.ts";

const pathOf = (projectDirectory: string, stack: string, file: string): string =>
  join(projectDirectory, ".pg-topology", stack, file);

/** Where the certificate that clients of this machine verify servers with is written: beside the program, per stack. */
export const rootCertificatePath = (projectDirectory: string, plan: Plan): string =>
  pathOf(projectDirectory, plan.identity.stack, "root.crt");

/** Where commands on this machine read which hosts a stack is on: they know no stack file and no state. */
export const hostsPath = (projectDirectory: string, stack: string): string =>
  pathOf(projectDirectory, stack, "hosts.json");

/** What stands there. */
export interface HostsFile {
  readonly hosts: readonly HostPlan[];
  readonly placed: readonly PlacedNode[];
  /** Where the backup server is; without it, there is none. */
  readonly backupHost?: HostPlan;
}

/** null: everything is on one engine. */
export function hostsFile({ hosts, nodes, backup }: Plan): string | null {
  if (hosts.length === 0) return null;
  const file: HostsFile = {
    hosts,
    placed: nodes.map(placed),
    ...(backup === null || backup.host === null ? {} : { backupHost: backup.host }),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}
