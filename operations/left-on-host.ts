import type { DockerHost } from "./docker-host.ts";
import type { ExportedState, StateResource } from "./pulumi-state.ts";

/** What a state knows on one host. */
export interface OnOneHost {
  readonly host: DockerHost;
  /** Of the containers, volumes and networks there, each with its kind, for example "volume x-node-2-data". */
  readonly objects: readonly string[];
}

const PROVIDER_TYPE = "pulumi:providers:docker";

/** The hosts of a stack, by its state alone: it outlives stack file and commands' notes. Pure. */
export function hostsInState({ deployment }: ExportedState): OnOneHost[] {
  const resources = deployment?.resources ?? [];
  return resources
    .filter(({ type }) => type === PROVIDER_TYPE)
    .flatMap((provider) => {
      const objects = resources.filter((resource) => resource.provider?.startsWith(`${provider.urn}::`));
      const host = hostOf(provider);
      return host === undefined ? [] : [{ host, objects: objects.map(describe) }];
    });
}

/** undefined: the provider of the engine of this machine, which has no address of its own. */
function hostOf({ urn, inputs }: StateResource): DockerHost | undefined {
  const [docker, certificates] = [inputs?.["host"], inputs?.["certPath"]];
  if (typeof docker !== "string") return undefined;
  const name = nameOf(urn).replace(/^host-/, "");
  return { name, docker, address: "", ...(typeof certificates === "string" ? { certificates } : {}) };
}

const nameOf = (urn: string): string => urn.split("::").at(-1) ?? urn;

function describe({ type, urn, inputs }: StateResource): string {
  const kind = type.split(":").at(-1)?.toLowerCase() ?? type;
  const name = inputs?.["name"];
  return `${kind} ${typeof name === "string" ? name : nameOf(urn)}`;
}
