/**
 * The tools that set-up provides on this machine, official or built, as the program uses them: what holds here must
 * hold for both.
 */
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ScratchProject, setUp } from "./support/scratch-project.ts";

let project: ScratchProject;

beforeEach(async () => {
  await setUp();
  project = await ScratchProject.make();
});

afterEach(() => project.remove());

test("a second set-up finds everything there, quickly", async () => {
  const began = performance.now();
  const output = await setUp();
  const seconds = (performance.now() - began) / 1000;

  expect(output).not.toMatch(/started|pulled|\.\.\./);
  expect(seconds, "it is part of every `npm start`; about 0.1 s on an idle machine").toBeLessThan(5);
});

test("Node runs TypeScript as it is, and the CLI has the version that was tested", async () => {
  await project.program("export const node: string = process.version;");
  await project.up();

  const [major, minor] = String((await project.outputs())["node"])
    .slice(1)
    .split(".")
    .map(Number);
  expect((major ?? 0) * 1000 + (minor ?? 0)).toBeGreaterThanOrEqual(22_018);
  expect((await execa(project.path("toolchain/run"), ["pulumi", "version"])).stdout).toMatch(
    /^v3\.(259|2[6-9]\d|[3-9]\d\d)\./,
  );
});

test("Node gets the arguments that Pulumi.yaml has for it", async () => {
  await writeFile(project.path("first.js"), 'globalThis.first = "loaded";\n');
  const runtime = [
    "runtime:",
    "  name: nodejs",
    "  options:",
    "    typescript: false",
    "    nodeargs: --import=./first.js",
  ];
  await writeFile(project.path("Pulumi.yaml"), [`name: ${project.name}`, "main: index.ts", ...runtime, ""].join("\n"));
  await project.program("export const first = Reflect.get(globalThis, 'first');");
  await project.up();
  expect(await project.outputs()).toEqual({ first: "loaded" });
});

describe("@pulumi/command", () => {
  async function command(parameters: string): Promise<void> {
    await project.program(
      'import { local } from "@pulumi/command";',
      `const command = new local.Command("it", ${parameters});`,
      "export const stdout = command.stdout;",
      "export const stderr = command.stderr;",
    );
  }

  test("runs with its input, environment, folder and interpreter, and publishes what it wrote", async () => {
    await command(`{
      create: "read line; echo $line $WHO; pwd; echo trouble >&2",
      stdin: "hello\\n", environment: { WHO: "world" }, dir: "/", interpreter: ["/bin/sh", "-eu", "-c"],
    }`);

    const { all } = await project.up();

    expect(await project.outputs()).toEqual({ stdout: "hello world\n/", stderr: "trouble" });
    expect(all).toContain("hello world");
  });

  test("runs nothing while its inputs stay the same", async () => {
    const count = `echo once >>${project.path("runs")}`;
    await command(`{ create: "${count}" }`);

    await project.up();
    await project.up();

    expect(await readFile(project.path("runs"), "utf8")).toBe("once\n");
  });

  test("runs `update` with its former output, or `create` again where there is no `update`", async () => {
    await command('{ create: "echo created", update: "echo updated after $PULUMI_COMMAND_STDOUT", dir: "/" }');
    await project.up();
    await command('{ create: "echo created", update: "echo updated after $PULUMI_COMMAND_STDOUT", dir: "/tmp" }');
    await project.up();
    expect(await project.outputs()).toMatchObject({ stdout: "updated after created" });

    await command('{ create: "echo created again", addPreviousOutputInEnv: false }');
    await project.up();
    expect(await project.outputs()).toMatchObject({ stdout: "created again" });
  });

  test("with other triggers is created anew before the old one is deleted", async () => {
    const runs = project.path("runs");
    const parameters = (trigger: string) =>
      `{ create: "echo create ${trigger} | tee -a ${runs}", delete: "echo delete $PULUMI_COMMAND_STDOUT >>${runs}", triggers: ["${trigger}"] }`;
    await command(parameters("one"));
    await project.up();
    await command(parameters("two"));
    await project.up();
    await project.destroy();

    const order = ["create one", "create two", "delete create one", "delete create two", ""];
    expect(await readFile(runs, "utf8")).toBe(order.join("\n"));
  });

  test("keeps its output to itself where logging is off", async () => {
    await command('{ create: "echo quiet-$((40 + 2))", logging: "none" }');

    const { all } = await project.up("--suppress-outputs");

    expect(all).not.toContain("quiet-42");
    expect(await project.outputs()).toMatchObject({ stdout: "quiet-42" });
  });

  test("that fails fails the update, with what it wrote", async () => {
    await command('{ create: "echo the reason >&2; exit 3" }');

    const failure = await project.up().catch((error: unknown) => error);

    expect(failure).toMatchObject({ exitCode: expect.any(Number) as number });
    expect(String((failure as { all?: unknown }).all)).toMatch(/exit status 3[^]*the reason/);
  });
});

describe("@pulumi/docker", () => {
  test("container, network and volume as the program makes them show no changes, not even after a refresh", async () => {
    const id = randomBytes(4).toString("hex");
    await project.program(
      'import * as docker from "@pulumi/docker";',
      `const labels = [{ label: "pg-topology.test", value: "${id}" }];`,
      `const network = new docker.Network("network", { name: "pg-test-${id}", labels });`,
      `const volume = new docker.Volume("volume", { name: "pg-test-${id}", labels });`,
      'const unnamed = new docker.Volume("unnamed", { labels });',
      "export const unnamedVolume = unnamed.name;",
      'new docker.Container("container", {',
      `  name: "pg-test-${id}", image: "postgres:17", labels, envs: ["POSTGRES_PASSWORD=x"],`,
      '  command: ["postgres", "-c", "max_connections=20"], mustRun: false, start: true, restart: "unless-stopped",',
      '  mounts: [{ type: "volume", source: volume.name, target: "/var/lib/postgresql/data" }],',
      '  networksAdvanced: [{ name: network.name, aliases: ["node-1"] }],',
      '  ports: [{ internal: 5432, ip: "127.0.0.1" }],',
      '  capabilities: { adds: ["CAP_SYS_NICE"], drops: ["CAP_MKNOD"] },',
      '  healthcheck: { tests: ["CMD", "pg_isready"], interval: "1s", timeout: "1s", retries: 3, startPeriod: "1s" },',
      '  destroyGraceSeconds: 30, stopSignal: "SIGINT", stopTimeout: 30, memory: 256, memorySwap: 512, shmSize: 64,',
      "});",
    );
    try {
      await project.up();

      await project.pulumi("preview", "--expect-no-changes", "--stack=dev");
      await project.up("--expect-no-changes", "--refresh");
      expect((await project.outputs())["unnamedVolume"]).toMatch(/^unnamed-[0-9a-f]{7}$/);
    } finally {
      await project.destroy();
    }
    const left = await execa("docker", ["ps", "--all", "--quiet", "--filter", `label=pg-topology.test=${id}`]);
    expect(left.stdout).toBe("");
  });
});
