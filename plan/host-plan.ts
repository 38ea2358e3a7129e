import type { HostSettings } from "../settings/settings.ts";
import type { HostPlan } from "./plan.ts";

export const hostPlan = ({ name, docker, address, certificates }: HostSettings): HostPlan => ({
  name,
  docker,
  address,
  ...(certificates === null ? {} : { certificates }),
});
