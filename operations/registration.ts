import { buffer } from "node:stream/consumers";
import type Docker from "dockerode";
import tar from "tar-stream";
import { hasFile } from "./engine.ts";

/**
 * A container that an update was interrupted in making exists, but the state does not know it. A container that the
 * state knows is marked by a file of its own, so that the two can be told apart without the state: the mark goes when
 * the container does.
 */
const MARK = "pg-topology-registered";

export async function registerContainer(docker: Docker, container: string): Promise<void> {
  const pack = tar.pack();
  pack.entry({ name: MARK, mode: 0o644 }, "The state of the stack knows this container.\n");
  pack.finalize();
  await docker.getContainer(container).putArchive(await buffer(pack), { path: "/" });
}

export const isRegistered = (docker: Docker, container: string): Promise<boolean> =>
  hasFile(docker, container, `/${MARK}`);
