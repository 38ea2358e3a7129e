import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { DockerHost } from "./docker-host.ts";
import { engineOf } from "./engine.ts";
import { OperationError, messageOf } from "./errors.ts";
import { hasImage, sendImage } from "./image.ts";

const PROJECT_DIRECTORY = join(import.meta.dirname, "..");

/** An image that is built from a folder of this project, and the host that needs it. */
export interface ImageOnHost {
  readonly host: DockerHost;
  readonly image: string;
  /** What it is built on. */
  readonly base: string;
  /** With its Dockerfile, from the folder of Pulumi.yaml on. */
  readonly folder: string;
}

/**
 * Brings an image to a host that does not have it: from this machine, or else it is built there.
 * @throws OperationError when it can be neither, with the last line of the build.
 */
export async function ensureBuiltImage(wanted: ImageOnHost, onStatus: (status: string) => void): Promise<void> {
  const { host, image } = wanted;
  if (await hasImage(engineOf(wanted), image)) return;
  if (await sendImage(host, image, onStatus)) return;
  onStatus(`building ${image} on ${host.name}`);
  try {
    await build(wanted);
  } catch (error) {
    throw new OperationError(
      `the image ${image} cannot be built on ${host.name}: ${messageOf(error)}. ` +
        `If that host reaches no package servers, build it on this machine, from where it is sent: docker build --build-arg BASE=${wanted.base} --tag ${image} ${wanted.folder}`,
    );
  }
}

async function build({ host, image, base, folder }: ImageOnHost): Promise<void> {
  const docker = engineOf({ host });
  const context = join(PROJECT_DIRECTORY, folder);
  const options = { t: image, buildargs: { BASE: base }, networkmode: "host" };
  const stream = await docker.buildImage({ context, src: await readdir(context) }, options);
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(stream, (error, events: readonly BuildEvent[]) => {
      const failure = error?.message ?? events.find((event) => event.error !== undefined)?.error;
      if (failure === undefined) resolve();
      else reject(new OperationError(failure));
    });
  });
}

interface BuildEvent {
  readonly error?: string;
}
