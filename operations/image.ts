import type Docker from "dockerode";
import { unlessMissing } from "./engine.ts";
import { OperationError, messageOf } from "./errors.ts";

/**
 * Pulls an image unless the engine has it.
 * @throws OperationError when it is neither there nor to be had.
 */
export async function ensureImage(docker: Docker, image: string, onStatus: (status: string) => void): Promise<void> {
  if ((await unlessMissing(docker.getImage(image).inspect())) !== undefined) return;
  try {
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
  } catch (error) {
    throw new OperationError(
      `the image ${image} is not on this engine and cannot be pulled: ${messageOf(error)}. Check its name in \`image\`, or build or load it.`,
    );
  }
}
