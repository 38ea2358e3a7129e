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
  return resources.flatMap((provider) => {
    const host = hostIn(provider);
    if (host === undefined) return [];
    const objects = resources.filter((resource) => resource.provider?.startsWith(`${provider.urn}::`));
    return [{ host, objects: objects.map(describe) }];
  });
}

/** A state that knows nothing of what is on a host. Pure. */
export function withoutHost(state: ExportedState, name: string): ExportedState {
  const { deployment } = state;
  const resources = deployment?.resources ?? [];
  const providers = resources.filter((resource) => hostIn(resource)?.name === name);
  const isThere = (resource: StateResource): boolean =>
    providers.some((provider) => provider === resource || resource.provider?.startsWith(`${provider.urn}::`));
  const gone = new Set(resources.filter(isThere).map(({ urn }) => urn));
  const kept = resources.filter(({ urn }) => !gone.has(urn)).map((resource) => independentOf(gone, resource));
  return { ...state, deployment: { ...deployment, resources: kept } };
}

function independentOf(gone: ReadonlySet<string>, resource: StateResource): StateResource {
  const { dependencies, propertyDependencies } = resource;
  const without = (urns: readonly string[] | null): string[] => (urns ?? []).filter((urn) => !gone.has(urn));
  const byInput = Object.entries(propertyDependencies ?? {}).map(([input, urns]) => [input, without(urns)] as const);
  return {
    ...resource,
    ...(dependencies === undefined ? {} : { dependencies: without(dependencies) }),
    ...(propertyDependencies === undefined ? {} : { propertyDependencies: Object.fromEntries(byInput) }),
  };
}

const hostIn = (resource: StateResource): DockerHost | undefined =>
  resource.type === PROVIDER_TYPE ? hostOf(resource) : undefined;

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
