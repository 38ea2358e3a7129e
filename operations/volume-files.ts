import { randomBytes } from "node:crypto";
import { posix } from "node:path";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import type Docker from "dockerode";
import tar from "tar-stream";
import type { OnHost } from "./docker-host.ts";
import { engineOf, removeContainer, unlessMissing } from "./engine.ts";

/** Files in a volume, as they shall be. */
export interface VolumeContents extends OnHost {
  readonly image: string;
  readonly volume: string;
  /** Where the volume is mounted in the containers that use it; all paths begin with it. */
  readonly mount: string;
  readonly files: readonly VolumeFile[];
  readonly uid: number;
  readonly labels: Readonly<Record<string, string>>;
}

export interface VolumeFile {
  readonly path: string;
  readonly content: string;
  /** Permission bits, for example 0o600. */
  readonly mode: number;
}

/** A file that is not as it shall be. */
export interface FileDifference {
  readonly path: string;
  readonly kind: "missing" | "content" | "mode" | "owner";
}

export interface FoundFile {
  readonly content: string;
  readonly mode: number;
  readonly uid: number;
}

/** What is in a volume, by absolute path. */
export type FoundFiles = ReadonlyMap<string, FoundFile>;

const DIRECTORY_MODE = 0o700;

/**
 * Writes all files. No process runs: the engine unpacks an archive into a container that is never started.
 * @param besides more files, chosen by what is in the volume.
 */
export async function writeVolumeFiles(
  contents: VolumeContents,
  besides?: (found: FoundFiles) => readonly VolumeFile[],
): Promise<void> {
  await withHelper(contents, async (container) => {
    const more = besides === undefined ? [] : besides(await filesIn(container, contents.mount));
    await unpackInto(container, contents, [...contents.files, ...more]);
  });
}

async function unpackInto(
  container: Docker.Container,
  { mount, uid }: VolumeContents,
  files: readonly VolumeFile[],
): Promise<void> {
  // Unpacked beside the mount, by its name: the engine ignores an entry for the very directory that it unpacks in,
  // and a new volume belongs to root where the image has no directory of that name.
  const beside = posix.dirname(mount);
  const pack = tar.pack();
  pack.entry({ name: posix.basename(mount), type: "directory", mode: 0o755, uid, gid: uid });
  for (const directory of directoriesOf(mount, files)) {
    const name = posix.relative(beside, directory);
    pack.entry({ name, type: "directory", mode: DIRECTORY_MODE, uid, gid: uid });
  }
  for (const { path, mode, content } of files) {
    pack.entry({ name: posix.relative(beside, path), mode, uid, gid: uid }, content);
  }
  pack.finalize();
  await container.putArchive(await buffer(pack), { path: beside });
}

/** Compares files with what they shall be, byte for byte, with mode and owner. */
export function fileDifferences(files: readonly VolumeFile[], found: FoundFiles, uid: number): FileDifference[] {
  return files.flatMap((file) => difference(file, found.get(file.path), uid));
}

function difference(file: VolumeFile, found: FoundFile | undefined, uid: number): FileDifference[] {
  if (found === undefined) return [{ path: file.path, kind: "missing" }];
  if (found.content !== file.content) return [{ path: file.path, kind: "content" }];
  if (found.mode !== file.mode) return [{ path: file.path, kind: "mode" }];
  if (found.uid !== uid) return [{ path: file.path, kind: "owner" }];
  return [];
}

/** @param through a container that has the volume mounted, running or not: it saves the making of one. */
export async function readVolumeFiles(contents: VolumeContents, through: string): Promise<FoundFiles> {
  const archive = await unlessMissing(engineOf(contents).getContainer(through).getArchive({ path: contents.mount }));
  if (archive !== undefined) return unpack(archive, contents.mount);
  if ((await unlessMissing(engineOf(contents).getVolume(contents.volume).inspect())) === undefined) return new Map();
  return withHelper(contents, (container) => filesIn(container, contents.mount));
}

const filesIn = async (container: Docker.Container, mount: string): Promise<FoundFiles> =>
  unpack(await container.getArchive({ path: mount }), mount);

async function unpack(archive: NodeJS.ReadableStream, mount: string): Promise<FoundFiles> {
  const files = new Map<string, FoundFile>();
  const extract = tar.extract();
  const collect = async (): Promise<void> => {
    for await (const entry of extract) {
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      if (entry.header.type !== "file") continue;
      // Names begin with the last part of the path that was asked for.
      const path = posix.join(posix.dirname(mount), entry.header.name);
      const { mode, uid } = entry.header;
      files.set(path, { content: Buffer.concat(chunks).toString("utf8"), mode: mode & 0o7777, uid });
    }
  };
  await Promise.all([pipeline(archive, extract), collect()]);
  return files;
}

function directoriesOf(mount: string, files: readonly VolumeFile[]): string[] {
  const directories = files.map((file) => posix.dirname(file.path));
  return [...new Set(directories)].filter((directory) => directory !== mount).toSorted();
}

/** A container that exists only to have the volume mounted. */
async function withHelper<T>(contents: VolumeContents, use: (container: Docker.Container) => Promise<T>): Promise<T> {
  const name = `${contents.volume}.files-${randomBytes(4).toString("hex")}`;
  const docker = engineOf(contents);
  const container = await docker.createContainer({
    name,
    Image: contents.image,
    Entrypoint: ["true"],
    Cmd: [],
    Labels: { ...contents.labels },
    HostConfig: {
      NetworkMode: "none",
      Mounts: [{ Type: "volume", Source: contents.volume, Target: contents.mount }],
    },
  });
  try {
    return await use(container);
  } finally {
    await removeContainer(docker, name);
  }
}
