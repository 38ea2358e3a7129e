import { readFile, readdir, rm } from "node:fs/promises";
import { homedir, hostname } from "node:os";
import { join, resolve } from "node:path";

/** The parts of a file backend that belong to one stack, and those that all share. */
export interface FileBackend {
  readonly locks: string;
  /** Every folder in which the CLI looks at all files before it does anything with the stack. */
  readonly folders: readonly string[];
}

/** A lock of a stack in a file backend. */
export interface StackLock {
  readonly file: string;
  readonly pid: number;
  readonly hostname: string;
  /** "dead": its process is gone; "unknown": its process is on another host. */
  readonly holder: "alive" | "dead" | "unknown";
}

/** undefined: the backend is not made of files. */
export function fileBackend(
  url: string,
  projectDirectory: string,
  { project, stack }: { readonly project: string; readonly stack: string },
): FileBackend | undefined {
  if (!url.startsWith("file://")) return undefined;
  const path = url.slice("file://".length).replace(/\?.*$/, "");
  const directory = path.startsWith("~") ? join(homedir(), path.slice(1)) : resolve(projectDirectory, path);
  const root = join(directory, ".pulumi");
  const locks = join(root, "locks", "organization", project, stack);
  const ofTheStack = ["history", "backups"].map((folder) => join(root, folder, project, stack));
  return { locks, folders: [root, join(root, "stacks", project), locks, ...ofTheStack] };
}

export async function stackLocks({ locks }: FileBackend): Promise<StackLock[]> {
  const files = (await filesIn(locks)).filter((file) => file.endsWith(".json"));
  return (await Promise.all(files.map(readLock))).filter((lock) => lock !== undefined);
}

/** undefined: it was given back in the meantime. */
async function readLock(file: string): Promise<StackLock | undefined> {
  const text = await unlessNoEntry(readFile(file, "utf8"));
  if (text === undefined) return undefined;
  const lock = JSON.parse(text) as { pid: number; hostname: string };
  const here = lock.hostname === hostname();
  const holder = !here ? "unknown" : (await isPulumi(lock.pid)) ? "alive" : "dead";
  return { file, pid: lock.pid, hostname: lock.hostname, holder };
}

/**
 * The process id may belong to another program by now, or to a zombie: a killed process whose parent was killed with it
 * stays one until the first process of the machine reaps it, which not every container's does.
 */
async function isPulumi(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const stat = await unlessNoEntry(readFile(`/proc/${pid}/stat`, "utf8"));
  // Without such a file (macOS, or gone this moment) the safe answer is that it runs.
  const [, command, state] = /\((.*)\) (\w)/s.exec(stat ?? "") ?? [];
  if (command === undefined || state === undefined) return true;
  return command.startsWith("pulumi") && !ENDED_STATES.includes(state);
}

/** Zombie, and dead: proc_pid_stat(5). */
const ENDED_STATES = ["Z", "X"];

/** Only of a lock whose holder is dead. */
export async function removeLock({ file }: StackLock): Promise<void> {
  await rm(`${file}${ATTRIBUTES}`, { force: true });
  await rm(file, { force: true });
}

/** The backend keeps a content type and a checksum beside each file; it does without them where there are none. */
const ATTRIBUTES = ".attrs";
/** What a file is called until all of it is written. */
const UNFINISHED = ".tmp";

/**
 * Removes what a CLI was killed over while it wrote it: files of attributes are not written in one go, and an
 * incomplete one makes every later command end with "EOF"; an unfinished lock counts as one.
 * @returns the files.
 */
export async function removeUnfinishedFiles({ folders, locks }: FileBackend): Promise<string[]> {
  const attributes = (await Promise.all(folders.map(filesIn))).flat().filter((file) => file.endsWith(ATTRIBUTES));
  const incomplete = await Promise.all(attributes.map(async (file) => ((await isComplete(file)) ? [] : [file])));
  const unfinished = [...incomplete.flat(), ...(await filesIn(locks)).filter((file) => file.endsWith(UNFINISHED))];
  await Promise.all(unfinished.map((file) => rm(file, { force: true })));
  return unfinished;
}

async function isComplete(file: string): Promise<boolean> {
  const text = await unlessNoEntry(readFile(file, "utf8"));
  if (text === undefined) return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

async function filesIn(folder: string): Promise<string[]> {
  return ((await unlessNoEntry(readdir(folder))) ?? []).map((name) => join(folder, name));
}

async function unlessNoEntry<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
