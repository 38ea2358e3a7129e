import * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import type { HostPlan, Plan } from "../plan/plan.ts";

/** A Docker provider for each host; what is on none is with the default one. */
export class DockerHosts {
  readonly #providers: ReadonlyMap<string, docker.Provider>;

  constructor({ hosts }: Plan) {
    this.#providers = new Map(hosts.map((host) => [host.name, newProvider(host)]));
  }

  /** Makes a Docker resource one of the engine of a host. */
  on(host: HostPlan | null): Pick<pulumi.CustomResourceOptions, "provider"> {
    if (host === null) return {};
    const provider = this.#providers.get(host.name);
    if (provider === undefined) throw new Error(`${host.name} is not among the hosts`);
    return { provider };
  }
}

const newProvider = ({ name, docker: host, certificates }: HostPlan): docker.Provider =>
  new docker.Provider(`host-${name}`, {
    host,
    ...(certificates === undefined ? {} : { certPath: certificates }),
    ...(host.startsWith("ssh:") ? { sshOpts: ["-o", "BatchMode=yes", "-o", "ConnectTimeout=5"] } : {}),
    // What is on other hosts can be updated while one does not answer.
    disableDockerDaemonCheck: true,
  });
