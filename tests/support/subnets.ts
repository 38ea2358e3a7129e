import { randomInt } from "node:crypto";
import { docker } from "./containers.ts";

/** The first three numbers of a subnet /24 that no Docker network has, for example "10.89.7". */
export async function freeSubnetPrefix(): Promise<string> {
  const networks = (await docker("network", "ls", "-q")).split("\n");
  const taken = await docker(
    "network",
    "inspect",
    "--format",
    "{{range .IPAM.Config}}{{.Subnet}} {{end}}",
    ...networks,
  );
  for (;;) {
    const prefix = `10.89.${randomInt(256)}`;
    if (!taken.includes(`${prefix}.`)) return prefix;
  }
}
