import { createHash, randomBytes } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { execa } from "execa";
import { freePorts } from "./ports.ts";
import { PROJECT_DIRECTORY, PROJECT_NAME } from "./project.ts";
import { removeByLabel } from "./stack.ts";

/**
 * A clone of the project as its next user has it: what git knows of it, in a folder of its own, used from a plain
 * shell. Only the project's name and the published ports are others, so that it can stand beside the stacks of this
 * machine. It has a backend and a passphrase of its own, made by toolchain/run.
 */
export class Clone {
  readonly project: string;
  readonly directory: string;

  private constructor(project: string, directory: string) {
    this.project = project;
    this.directory = directory;
  }

  static async create(): Promise<Clone> {
    // As long as the project's own name, so that what is recorded of it looks the same.
    const project = `pgt${randomBytes(4).toString("hex")}`;
    const clone = new Clone(project, await mkdtemp(join(tmpdir(), `pg-topology-clone-${project}-`)));
    const { stdout } = await execa("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
      cwd: PROJECT_DIRECTORY,
    });
    await Promise.all(stdout.split("\n").map((file) => clone.#copy(file)));
    await clone.#linkPackages();
    await clone.#provideClient();
    await clone.#rename();
    return clone;
  }

  /** Name of the container of a node. */
  container(stack: string, node: string): string {
    return `${this.project}-${stack}-${node}`;
  }

  labels(stack: string): Readonly<Record<string, string>> {
    return { "pg-topology.project": this.project, "pg-topology.stack": stack };
  }

  path(file: string): string {
    return join(this.directory, file);
  }

  /** Runs a line of shell in the clone's folder; a failure is a result like any other. */
  async shell(line: string, env: Readonly<Record<string, string>> = {}): Promise<{ exitCode: number; output: string }> {
    const result = await this.start(line, env);
    return { exitCode: result.exitCode ?? -1, output: result.all };
  }

  /** The same as a running process, the leader of a group of its own, to be interrupted. */
  start(line: string, env: Readonly<Record<string, string>> = {}, stdin: "ignore" | "pipe" = "ignore") {
    return execa("bash", ["-c", line], {
      cwd: this.directory,
      env: { ...plainEnvironment(this.#client), ...env },
      extendEnv: false,
      stdin,
      all: true,
      reject: false,
      detached: true,
    });
  }

  /** The same, and an error with all output unless it ends with 0. */
  async succeed(line: string): Promise<string> {
    const { exitCode, output } = await this.shell(line);
    if (exitCode !== 0) throw new Error(`${line} ended with ${exitCode}:\n${output}`);
    return output;
  }

  /** Takes everything away, whatever state a test left it in. */
  async dispose(): Promise<void> {
    await removeByLabel({ "pg-topology.project": this.project });
    await rm(this.directory, { recursive: true, force: true });
  }

  async #copy(file: string): Promise<void> {
    const target = join(this.directory, file);
    await mkdir(dirname(target), { recursive: true });
    // What is deleted and not yet committed is still listed.
    await cp(join(PROJECT_DIRECTORY, file), target).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    });
  }

  /** Each package by itself, so that an `npm ci` in the clone would remove nothing but links. */
  async #linkPackages(): Promise<void> {
    const packages = join(PROJECT_DIRECTORY, "node_modules");
    await mkdir(this.path("node_modules"));
    const names = (await readdir(packages)).filter((name) => name !== ".installed-from");
    await Promise.all(names.map((name) => symlink(join(packages, name), this.path(`node_modules/${name}`))));
    const hash = createHash("sha256").update(await readFile(this.path("package-lock.json")));
    await writeFile(this.path("node_modules/.installed-from"), `${hash.digest("hex")}  -\n`);
  }

  get #client(): string {
    return this.path(".client");
  }

  /** The psql of the image, for a machine that has none: on the host's network, with the files of the clone. */
  async #provideClient(): Promise<void> {
    const run = `docker run --rm --network host --volume '${this.directory}:${this.directory}:ro' --entrypoint psql`;
    await mkdir(this.#client);
    await writeFile(join(this.#client, "psql"), `#!/bin/sh\nexec ${run} postgres:17 "$@"\n`, { mode: 0o755 });
  }

  async #rename(): Promise<void> {
    const files = (await readdir(this.directory)).filter((file) => /^Pulumi(\..+)?\.yaml$/.test(file));
    const texts = await Promise.all(files.map((file) => readFile(this.path(file), "utf8")));
    const ports = [...new Set(texts.flatMap((text) => text.match(/(?<=port: )\d+/g) ?? []))];
    const replacements = new Map((await freePorts(ports.length)).map((free, index) => [ports[index] ?? "", free]));
    const renamed = (text: string): string =>
      text
        .replace(`name: ${PROJECT_NAME}\n`, `name: ${this.project}\n`)
        .replaceAll(`${PROJECT_NAME}:`, `${this.project}:`)
        .replaceAll(/(?<=port: )\d+/g, (port) => String(replacements.get(port) ?? port))
        .replaceAll(/^encryptionsalt:.*$/gm, "");
    await Promise.all(files.map((file, index) => writeFile(this.path(file), renamed(texts[index] ?? ""))));
  }
}

/** Without what these tests run in: the tools, the backend and the settings that toolchain/run chose for them. */
function plainEnvironment(firstOnPath: string): Record<string, string | undefined> {
  const path = `${firstOnPath}${delimiter}${process.env["PATH"] ?? ""}`
    .split(delimiter)
    .filter((folder) => !folder.endsWith("/.pulumi-local/bin") && !folder.endsWith("node_modules/.bin"))
    .filter((folder) => !folder.includes("node-gyp-bin"));
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(PULUMI|npm|NODE|VITEST|TEST|CI$|FORCE_COLOR)/i.test(name),
  );
  return { ...Object.fromEntries(kept), PATH: path.join(delimiter) };
}
