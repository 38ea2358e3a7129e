import type * as docker from "@pulumi/docker";
import type { Plan } from "../plan/plan.ts";

/**
 * What the containers of tools beside the servers have in common. Each field is written as the engine gives it back:
 * anything else would be a difference in every preview.
 */
export const besideServers = ({ layout }: Plan, stopTimeoutSeconds: number) =>
  ({
    // The image declares a data volume, which would be an anonymous one here.
    tmpfs: { [layout.dataMount]: "" },
    networkMode: "bridge",
    // Barman, for one, leaves its children to whoever is the first process.
    init: true,
    restart: "unless-stopped",
    stopSignal: "SIGTERM",
    stopTimeout: stopTimeoutSeconds,
    destroyGraceSeconds: stopTimeoutSeconds,
    mustRun: false,
  }) satisfies Partial<docker.ContainerArgs>;
