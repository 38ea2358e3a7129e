/**
 * A Pulumi project in a folder of its own, run by this checkout's real tools through toolchain/run, as by a user who
 * has chosen no backend.
 */
import { randomBytes } from "node:crypto";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { exists } from "./machine.ts";

const CHECKOUT = join(import.meta.dirname, "../../..");

/** Runs the real set-up on this machine. */
export async function setUp(...parameters: string[]): Promise<string> {
  return (await execa(join(CHECKOUT, "toolchain/setup"), parameters)).stdout;
}

export class ScratchProject {
  readonly folder: string;
  readonly name = `scratch-${randomBytes(4).toString("hex")}`;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<ScratchProject> {
    const project = new ScratchProject(await mkdtemp(join(tmpdir(), "pg-topology-scratch-")));
    await cp(join(CHECKOUT, "toolchain"), project.path("toolchain"), { recursive: true });
    await mkdir(project.path(".pulumi-local"));
    for (const tools of [".pulumi-local/bin", ".pulumi-local/pulumi-home", "node_modules"]) {
      if (await exists(join(CHECKOUT, tools))) await symlink(join(CHECKOUT, tools), project.path(tools));
    }
    await writeFile(project.path("package.json"), '{ "type": "module" }');
    const runtime = "{ name: nodejs, options: { typescript: false } }";
    await writeFile(project.path("Pulumi.yaml"), `name: ${project.name}\nmain: index.ts\nruntime: ${runtime}\n`);
    await project.pulumi("stack", "init", "dev");
    return project;
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  async program(...lines: string[]): Promise<void> {
    await writeFile(this.path("index.ts"), ['import "@pulumi/pulumi";', ...lines, ""].join("\n"));
  }

  /** Runs `pulumi PARAMETERS`; `all` of the result is what it wrote. */
  pulumi(...parameters: string[]) {
    return execa(this.path("toolchain/run"), ["pulumi", ...parameters, "--non-interactive"], this.#options());
  }

  up(...parameters: string[]) {
    return this.pulumi("up", "--yes", "--skip-preview", "--stack=dev", ...parameters);
  }

  async destroy(): Promise<void> {
    await this.pulumi("destroy", "--yes", "--skip-preview", "--stack=dev");
  }

  async outputs(): Promise<Record<string, unknown>> {
    const { stdout } = await this.pulumi("stack", "output", "--json", "--stack=dev");
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  #options() {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("PULUMI_"));
    // A folder without credentials, where this machine's user may be logged in.
    const env = { ...Object.fromEntries(inherited), PULUMI_CREDENTIALS_PATH: this.folder };
    return { cwd: this.folder, extendEnv: false, env, all: true } as const;
  }
}
