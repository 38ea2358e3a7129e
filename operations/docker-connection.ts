import { readFileSync } from "node:fs";
import type { Agent } from "node:http";
import { join, resolve } from "node:path";
import type Docker from "dockerode";
import type { DockerHost, OnHost } from "./docker-host.ts";
import { engineAgent } from "./engine-agent.ts";
import { OperationError, messageOf } from "./errors.ts";
import { SshAgent } from "./ssh-agent.ts";

const PROJECT_DIRECTORY = join(import.meta.dirname, "..");

/** What the client library takes, and what its types do not have. */
interface Options extends Docker.DockerOptions {
  readonly agent?: Agent;
}

/**
 * How the client library reaches the engine of a host. What the environment says of the engine of this machine is
 * overruled.
 * @throws OperationError where a certificate cannot be read.
 */
export function dockerOptions({ docker, certificates }: DockerHost): Options {
  const url = new URL(docker);
  const none = { host: undefined, port: undefined, ca: undefined, cert: undefined, key: undefined };
  switch (url.protocol) {
    case "unix:":
      return { ...none, socketPath: url.pathname, protocol: "http" };
    case "ssh:":
      return { ...none, host: url.hostname, protocol: "http", agent: new SshAgent(url) };
    case "tcp:": {
      const protocol = certificates === undefined ? "http" : "https";
      const certificate = certificates === undefined ? none : clientCertificate(certificates);
      const place = { host: url.hostname, port: Number(url.port), protocol } as const;
      return { ...certificate, ...place, agent: engineAgent(place) };
    }
    default:
      throw new OperationError(`expected the engine at unix://, ssh:// or tcp://, but got ${docker}.`);
  }
}

/** How Docker's own client reaches the same engine. */
export function clientArguments({ host }: OnHost): string[] {
  if (host === undefined) return [];
  const { docker, certificates } = host;
  if (certificates === undefined) return ["--host", docker];
  const path = (name: string): string => certificatePath(certificates, name);
  const tls = ["--tlscacert", path("ca.pem"), "--tlscert", path("cert.pem"), "--tlskey", path("key.pem")];
  return ["--host", docker, "--tlsverify", ...tls];
}

const certificatePath = (folder: string, name: string): string => resolve(PROJECT_DIRECTORY, folder, name);

/** By the names that Docker's own client gives them. */
function clientCertificate(folder: string): Pick<Docker.DockerOptions, "ca" | "cert" | "key"> {
  const file = (name: string): Buffer => readFileSync(certificatePath(folder, name));
  try {
    return { ca: file("ca.pem"), cert: file("cert.pem"), key: file("key.pem") };
  } catch (error) {
    throw new OperationError(
      `expected ca.pem, cert.pem and key.pem in ${folder}, as certificates of a host: ${messageOf(error)}`,
    );
  }
}
