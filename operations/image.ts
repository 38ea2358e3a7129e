import { finished } from "node:stream/promises";
import type Docker from "dockerode";
import type { DockerHost, OnHost } from "./docker-host.ts";
import { engineOf, unlessMissing } from "./engine.ts";
import { OperationError, messageOf } from "./errors.ts";

/**
 * Brings an image, unless the engine has it. A host gets the one of this machine, so that all run the same although a tag
 * has moved meanwhile; what this machine does not have is pulled.
 * @throws OperationError when it is neither there nor to be had.
 */
export async function ensureImage(on: OnHost, image: string, onStatus: (status: string) => void): Promise<void> {
  const docker = engineOf(on);
  if (await hasImage(docker, image)) return;
  if (on.host !== undefined && (await sendImage(on.host, image, onStatus))) return;
  try {
    await pull(docker, image, onStatus);
  } catch (error) {
    throw new OperationError(
      `the image ${image} is not on ${on.host === undefined ? "this engine" : `the engine of ${on.host.name}`} and cannot be pulled: ${messageOf(error)}. Check its name in \`image\`, or build or load it.`,
    );
  }
}

export const hasImage = async (docker: Docker, image: string): Promise<boolean> =>
  (await unlessMissing(docker.getImage(image).inspect())) !== undefined;

/**
 * Sends an image of this machine to a host.
 * @returns false: this machine does not have it either.
 */
export async function sendImage(host: DockerHost, image: string, onStatus: (status: string) => void): Promise<boolean> {
  const here = engineOf({});
  if (!(await hasImage(here, image).catch(() => false))) return false;
  onStatus(`sending ${image} to ${host.name}`);
  const there = engineOf({ host });
  const loading = await there.loadImage(await here.getImage(image).get(), { quiet: true });
  loading.resume();
  await finished(loading);
  return hasImage(there, image);
}

async function pull(docker: Docker, image: string, onStatus: (status: string) => void): Promise<void> {
  onStatus(`pulling ${image}`);
  const stream = await docker.pull(image);
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(
      stream,
      (error) => (error === null ? resolve() : reject(error)),
      (event: { status?: string; id?: string }) =>
        onStatus(`pulling ${image}: ${event.status ?? ""} ${event.id ?? ""}`),
    );
  });
}
