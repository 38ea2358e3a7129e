/** A machine with a Docker engine of its own. */
export interface DockerHost {
  readonly name: string;
  /** Where its engine is, as DOCKER_HOST has it: unix://, ssh:// or tcp://. */
  readonly docker: string;
  /** Folder with ca.pem, cert.pem and key.pem, for tcp://; from the folder of Pulumi.yaml on. */
  readonly certificates?: string;
  /** The IPv4 address at which other machines reach what it publishes. */
  readonly address: string;
}

/** Something on one engine. Without a host it is on the engine of this machine, or of DOCKER_HOST. */
export interface OnHost {
  readonly host?: DockerHost;
}

/** Where something is, and nothing else of it. */
export const placeOf = ({ host }: OnHost): OnHost => (host === undefined ? {} : { host });

/** Every engine that a stack is on. */
export const placesOf = ({ hosts }: { readonly hosts?: readonly DockerHost[] }): readonly OnHost[] =>
  hosts === undefined ? [{}] : hosts.map((host) => ({ host }));
