import { posix } from "node:path";
import { confLines } from "./conf-lines.ts";
import { fileDifferences, writeVolumeFiles } from "./volume-files.ts";
import type { FileDifference, FoundFile, FoundFiles, VolumeContents, VolumeFile } from "./volume-files.ts";

/**
 * Beside the files that a server reads stands a copy of those that it was last seen to run with. It is what a failed
 * restart goes back to, and what tells a file that an update has yet to bring (the server's own is the proven one)
 * from a file that somebody changed by hand, or that an update was interrupted over (it is not).
 */
const PROVEN_DIRECTORY = "proven";

const provenPath = (mount: string, path: string): string =>
  posix.join(mount, PROVEN_DIRECTORY, posix.relative(mount, path));

const provenCopies = (mount: string, files: readonly VolumeFile[]): VolumeFile[] =>
  files.map((file) => ({ ...file, path: provenPath(mount, file.path) }));

/** The files that the server was last seen to run with, where each is read; those shall be that have no copy yet. */
export function provenFiles({ mount, files }: VolumeContents, found: FoundFiles): VolumeFile[] {
  return files.map((file) => {
    const copy = found.get(provenPath(mount, file.path));
    return copy === undefined ? file : { ...file, content: copy.content, mode: copy.mode };
  });
}

/** What an update writes before it starts any server: the proven files, and in a new volume their copies. */
export function filesBeforeStart(contents: VolumeContents, found: FoundFiles): VolumeFile[] {
  const { mount, files, uid } = contents;
  const isNew = files.filter((file) => !found.has(provenPath(mount, file.path)));
  const spoiled = new Set(fileDifferences(provenFiles(contents, found), found, uid).map(({ path }) => path));
  return [...provenFiles(contents, found).filter((file) => spoiled.has(file.path)), ...provenCopies(mount, isNew)];
}

/** Files that are not those that the server was last seen to run with. */
export const spoiledFiles = (contents: VolumeContents, found: FoundFiles): FileDifference[] =>
  fileDifferences(provenFiles(contents, found), found, contents.uid);

/** Whether the server reads what it shall. */
export const areInstalled = ({ files, uid }: VolumeContents, found: FoundFiles): boolean =>
  fileDifferences(files, found, uid).length === 0;

export const areProven = ({ mount, files, uid }: VolumeContents, found: FoundFiles): boolean =>
  fileDifferences(provenCopies(mount, files), found, uid).length === 0;

/** Puts the files where the server reads them. */
export const installFiles = (contents: VolumeContents): Promise<void> => writeVolumeFiles(contents);

/** Remembers the files as those that the server runs with. */
export const markProven = (contents: VolumeContents): Promise<void> =>
  writeVolumeFiles({ ...contents, files: provenCopies(contents.mount, contents.files) });

/** Puts the proven files back where the server reads them. */
export const restoreFiles = (contents: VolumeContents, found: FoundFiles): Promise<void> =>
  writeVolumeFiles({ ...contents, files: provenFiles(contents, found) });

/** What of a server is changed when it gets its files. */
export interface FileChange {
  readonly parameters: readonly string[];
  /** Those of pg_hba.conf. */
  readonly accessRules: boolean;
}

/**
 * What differs between the files that shall be, and those that are there or that the server was last seen to run with:
 * an update that did not come to its end may have left either behind.
 */
export function fileChange(contents: VolumeContents, found: FoundFiles): FileChange {
  const there = contents.files.flatMap(({ path }) => atPath(path, found.get(path)));
  const changes = [provenFiles(contents, found), there].map((files) => changeBetween(files, contents.files));
  return {
    parameters: [...new Set(changes.flatMap(({ parameters }) => parameters))].toSorted(),
    accessRules: changes.some(({ accessRules }) => accessRules),
  };
}

const atPath = (path: string, file: FoundFile | undefined): VolumeFile[] =>
  file === undefined ? [] : [{ path, content: file.content, mode: file.mode }];

/** A file that is not there says nothing. */
function changeBetween(before: readonly VolumeFile[], after: readonly VolumeFile[]): FileChange {
  const known = after.filter(({ path }) => before.some((file) => file.path === path));
  const [old, wanted] = [settingsOf(before), settingsOf(known)];
  const names = [...new Set([...old.keys(), ...wanted.keys()])];
  const [oldRules, rules] = [rulesOf(before), rulesOf(known)];
  return { parameters: names.filter((name) => old.get(name) !== wanted.get(name)), accessRules: oldRules !== rules };
}

const isRules = ({ path }: VolumeFile): boolean => posix.basename(path) === "pg_hba.conf";

const rulesOf = (files: readonly VolumeFile[]): string | undefined => files.find(isRules)?.content;

const settingsOf = (files: readonly VolumeFile[]): Map<string, string> =>
  confLines(files.filter((file) => !isRules(file)).map(({ content }) => content));
