import { posix } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import type Docker from "dockerode";
import tar from "tar-stream";
import { unlessMissing } from "./engine.ts";

/** The text of a file in a container, running or not; undefined: there is no such file, or no such container. */
export async function readContainerFile(docker: Docker, container: string, path: string): Promise<string | undefined> {
  const archive = await unlessMissing(docker.getContainer(container).getArchive({ path }));
  if (archive === undefined) return undefined;
  const extract = tar.extract();
  const [content] = await Promise.all([onlyFile(extract), pipeline(archive, extract)]);
  return content;
}

async function onlyFile(extract: tar.Extract): Promise<string | undefined> {
  let content: string | undefined;
  for await (const entry of extract) content = await text(entry);
  return content;
}

/** Writes a file into a container, running or not; its directory is there. `uid` is its group as well. */
export async function writeContainerFile(
  docker: Docker,
  container: string,
  path: string,
  content: string,
  uid: number,
): Promise<void> {
  const pack = tar.pack();
  pack.entry({ name: posix.basename(path), mode: 0o600, uid, gid: uid }, content);
  pack.finalize();
  await docker.getContainer(container).putArchive(await buffer(pack), { path: posix.dirname(path) });
}
