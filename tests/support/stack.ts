import { randomBytes } from "node:crypto";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import type { Options } from "execa";
import { parse, stringify } from "yaml";
import { PROJECT_DIRECTORY, PROJECT_NAME } from "./project.ts";

/** Keys without the project's prefix, as they stand in a stack file. */
export type StackConfig = Readonly<Record<string, unknown>>;

export interface CommandResult {
  readonly exitCode: number;
  /** Everything that the command wrote, both streams in their order. */
  readonly output: string;
}

/**
 * A stack of its own for one test: a backend in a temporary folder, a stack file there, a random name. The program is
 * the real one, run by the real CLI.
 */
export class TestStack {
  readonly name: string;
  readonly directory: string;
  readonly labels: Readonly<Record<string, string>>;

  private constructor(name: string, directory: string) {
    this.name = name;
    this.directory = directory;
    this.labels = { "pg-topology.project": PROJECT_NAME, "pg-topology.stack": name };
  }

  static async create(config: StackConfig): Promise<TestStack> {
    const name = `t${randomBytes(3).toString("hex")}`;
    const directory = await mkdtemp(join(tmpdir(), `pg-topology-${name}-`));
    const stack = new TestStack(name, directory);
    await stack.#init();
    await stack.configure(config);
    return stack;
  }

  /** Name of the container of a node. */
  container(node: string): string {
    return `${PROJECT_NAME}-${this.name}-${node}`;
  }

  /** Writes the stack file; the salt that `pulumi stack init` put into it stays. */
  async configure(config: StackConfig): Promise<void> {
    const keys = Object.entries(config).map(([key, value]) => [`${PROJECT_NAME}:${key}`, value] as const);
    const before = await readFile(this.configFile, "utf8").catch(() => "{}");
    const { encryptionsalt } = parse(before) as { encryptionsalt?: string };
    await writeFile(this.configFile, stringify({ encryptionsalt, config: Object.fromEntries(keys) }));
  }

  /** Sets a part of a key, as a user does by a pipe; the next `configure` takes it away again. */
  async setConfig(path: string, value: string, ...options: string[]): Promise<void> {
    const { exitCode, output } = await this.pulumi(["config", "set", "--path", path, ...options], { input: value });
    if (exitCode !== 0) throw new Error(`pulumi config set ${path} ended with ${exitCode}:\n${output}`);
  }

  /** `stack init` knows no --config-file: what it writes beside Pulumi.yaml, the salt, is moved. */
  async #init(): Promise<void> {
    await execa("pulumi", ["stack", "init", this.name], { cwd: PROJECT_DIRECTORY, env: this.environment });
    const written = join(PROJECT_DIRECTORY, `Pulumi.${this.name}.yaml`);
    await copyFile(written, this.configFile);
    await rm(written);
  }

  /** Runs `pulumi ARGS` for this stack; a failure is a result like any other. */
  async pulumi(args: readonly string[], options: Options = {}): Promise<CommandResult> {
    const result = await this.start(args, options);
    return { exitCode: result.exitCode ?? -1, output: result.all };
  }

  /** The same as a running process, to be interrupted. */
  start(args: readonly string[], options: Options = {}) {
    return execa("pulumi", [...args, "--stack", this.name, "--config-file", this.configFile, "--non-interactive"], {
      cwd: PROJECT_DIRECTORY,
      env: this.environment,
      all: true,
      reject: false,
      ...options,
    } as { all: true; reject: false });
  }

  get environment(): Record<string, string> {
    return {
      PULUMI_BACKEND_URL: `file://${this.directory}`,
      PULUMI_CONFIG_PASSPHRASE: "a passphrase for tests",
      PULUMI_CONFIG_PASSPHRASE_FILE: "",
    };
  }

  /** Runs `pulumi ARGS` and fails the test, with everything it wrote, unless it ends with 0. */
  async succeed(args: readonly string[]): Promise<string> {
    const { exitCode, output } = await this.pulumi(args);
    if (exitCode !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${exitCode}:\n${output}`);
    return output;
  }

  up(...args: string[]): Promise<string> {
    return this.succeed(["up", "--yes", "--skip-preview", ...args]);
  }

  /** An update that is expected to fail. */
  async failingUp(...args: string[]): Promise<string> {
    const { exitCode, output } = await this.pulumi(["up", "--yes", "--skip-preview", ...args]);
    if (exitCode === 0) throw new Error(`pulumi up succeeded, and should not have:\n${output}`);
    return output;
  }

  /** Fails unless a preview finds nothing to do. */
  expectNoChanges(...args: string[]): Promise<string> {
    return this.succeed(["preview", "--expect-no-changes", ...args]);
  }

  async outputs<T>(): Promise<T> {
    const { stdout } = await execa("pulumi", ["stack", "output", "--json", "--show-secrets", "--stack", this.name], {
      cwd: PROJECT_DIRECTORY,
      env: this.environment,
    });
    return JSON.parse(stdout) as T;
  }

  /** Takes everything away, whatever state the test left it in. */
  async dispose(): Promise<void> {
    await removeByLabel(this.labels);
    await rm(this.directory, { recursive: true, force: true });
    await rm(join(PROJECT_DIRECTORY, ".pg-topology", this.name), { recursive: true, force: true });
  }

  get configFile(): string {
    return join(this.directory, `Pulumi.${this.name}.yaml`);
  }
}

/** Runs a test with a stack of its own, and takes everything away afterwards. */
export async function withStack(config: StackConfig, use: (stack: TestStack) => Promise<void>): Promise<void> {
  const stack = await TestStack.create(config);
  try {
    await use(stack);
  } finally {
    await stack.dispose();
  }
}

export async function removeByLabel(labels: Readonly<Record<string, string>>): Promise<void> {
  const filters = Object.entries(labels).flatMap(([key, value]) => ["--filter", `label=${key}=${value}`]);
  const remove = async (list: string[], rm: string[]): Promise<void> => {
    const { stdout } = await execa("docker", [...list, ...filters]);
    const ids = stdout.split("\n").filter((id) => id !== "");
    if (ids.length > 0) await execa("docker", [...rm, ...ids]);
  };
  await remove(["ps", "-aq"], ["rm", "--force", "--volumes"]);
  await remove(["network", "ls", "-q"], ["network", "rm"]);
  await remove(["volume", "ls", "-q"], ["volume", "rm", "--force"]);
}
