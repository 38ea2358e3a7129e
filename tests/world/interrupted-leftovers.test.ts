import { mkdir, readdir, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { containersOf, docker } from "../support/containers.ts";
import { expectConverged } from "../support/convergence.ts";
import { PROJECT_NAME } from "../support/project.ts";
import { expectFailingPreview, expectFailingUp } from "../support/failures.ts";
import { freePorts } from "../support/ports.ts";
import { loseState, recover } from "../support/recover.ts";
import { psqlIn } from "../support/servers.ts";
import { TestStack, withStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";

const NODES = ["node-1", "node-2"] as const;

let stack: TestStack;

beforeAll(async () => {
  stack = await TestStack.create(await config());
  await stack.up();
});
afterAll(() => stack.dispose());

describe("a lock", () => {
  test("of a process that is gone is removed by recover", async () => {
    const ended = execa("true");
    await ended;
    await lock(ended.pid ?? 0, hostname());
    expect(await stack.failingUp()).toContain("the stack is currently locked");
    expect(await recover(stack)).toEqual({
      exitCode: 0,
      output: `removed the lock of process ${ended.pid ?? 0}, which is gone`,
    });
    expect(await recover(stack)).toEqual({ exitCode: 0, output: `nothing to recover in stack ${stack.name}` });
    await stack.expectNoChanges();
  });

  test("of a running update is respected", async () => {
    const update = stack.start(["up", "--yes", "--skip-preview"]);
    await expect.poll(locks, { timeout: 30_000, interval: 50 }).toHaveLength(1);
    const { exitCode, output } = await recover(stack);
    expect(exitCode).toBe(1);
    expect(output).toContain("Wait for it to end, then run this again. Nothing was changed.");
    expect((await update).exitCode).toBe(0);
  });

  test("of another host is left to a person", async () => {
    await lock(1, "elsewhere.example");
    const { exitCode, output } = await recover(stack);
    expect(exitCode).toBe(1);
    expect(output).toContain(`is locked by process 1 on elsewhere.example. If it is gone, run \`pulumi cancel`);
    await execa("pulumi", ["cancel", "--yes", stack.name], { env: stack.environment });
  });
});

test("a file that the backend was killed over is removed by recover", async () => {
  const stateFile = join(stack.directory, ".pulumi", "stacks", PROJECT_NAME, `${stack.name}.json`);
  await writeFile(`${stateFile}.attrs`, "");
  expect(await stack.failingUp()).toContain("EOF");
  expect(await recover(stack)).toEqual({
    exitCode: 0,
    output: `removed ${stateFile}.attrs, which was being written when an update was killed`,
  });
  await stack.expectNoChanges();
});

describe("Docker objects that the state does not know", () => {
  test("are named by the next preview, and removed by the next update", async () => {
    const left = await leaveObjects(stack);
    const { output } = await stack.pulumi(["preview"]);
    for (const name of left) expect(output).toContain(name);
    await stack.up();
    await expectConverged(stack, NODES);
  });

  test("are removed by recover, which says so", async () => {
    const left = await leaveObjects(stack);
    const { exitCode, output } = await recover(stack);
    expect(exitCode).toBe(0);
    for (const name of left) expect(output).toMatch(new RegExp(`^stopped and removed the .* ${name}, `, "m"));
    expect(output).toContain("all volumes are kept");
    await expectConverged(stack, NODES);
  });

  test("are in no way of a first update, whatever is in the volumes", async () => {
    await withStack(await config(), async (fresh) => {
      await leaveObjects(fresh);
      await leaveUnfinishedVolumes(fresh);
      await fresh.up();
      await expectConverged(fresh, NODES);
    });
  });
});

test("with the state lost, an update refuses, and after recover it takes over the data", async () => {
  await psqlIn(stack.container("node-1"), "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS number");
  const { readWriteUri: before } = await stack.outputs<{ readWriteUri: string }>();
  await loseState(stack);

  const refusal = ["the engine runs this stack already, and this state knows nothing of it", "npm run recover"];
  await expectFailingPreview(stack, ...refusal);
  await expectFailingUp(stack, ...refusal);
  expect(await containersOf(stack)).toHaveLength(NODES.length);

  const { exitCode, output } = await recover(stack);
  expect(exitCode).toBe(0);
  expect(output).toContain(`stopped and removed the container ${stack.container("node-1")}`);
  expect(await containersOf(stack)).toEqual([]);

  await stack.up();
  await expectConverged(stack, NODES);
  for (const node of NODES) {
    expect(await psqlIn(stack.container(node), "SELECT count(*) FROM kept")).toBe("1000");
  }
  // The old passwords were in the lost state: there are new ones.
  expect((await stack.outputs<{ readWriteUri: string }>()).readWriteUri).not.toBe(before);
});

describe("recover itself", () => {
  test("shows how it is called", async () => {
    const { exitCode, output } = await recover(stack, "--stakc");
    expect(exitCode).toBe(64);
    expect(output).toContain("usage: npm run recover [-- [--stack NAME]");
  });

  test("says so when no engine answers", async () => {
    const gone = { ...stack.environment, DOCKER_HOST: "unix:///nonexistent/docker.sock" };
    const result = await execa("node", ["commands/recover.ts", "--stack", stack.name], { env: gone, reject: false });
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toBe(
      "expected a Docker engine at unix:///nonexistent/docker.sock, but none answers. Start Docker (npm start does), or set DOCKER_HOST.",
    );
  });
});

async function config(): Promise<StackConfig> {
  const ports = await freePorts(NODES.length);
  return { primary: "node-1", nodes: NODES.map((name, index) => ({ name, port: ports[index] })) };
}

const lockDirectory = (): string => join(stack.directory, ".pulumi", "locks", "organization", PROJECT_NAME, stack.name);

const locks = async (): Promise<string[]> =>
  (await readdir(lockDirectory()).catch(() => [])).filter((name) => name.endsWith(".json"));

async function lock(pid: number, host: string): Promise<void> {
  const content = { pid, username: "somebody", hostname: host, timestamp: new Date().toISOString() };
  await mkdir(lockDirectory(), { recursive: true });
  await writeFile(join(lockDirectory(), "0c2f1c5e-0000-4000-8000-000000000000.json"), JSON.stringify(content));
}

/** One of everything that an interrupted update may leave. Returns the names. */
async function leaveObjects(of: TestStack): Promise<string[]> {
  const labels = Object.entries(of.labels).flatMap(([key, value]) => ["--label", `${key}=${value}`]);
  const node = of.container("node-9");
  const job = `${of.container("node-2")}.base-backup`;
  const helper = `${of.container("node-2")}-configuration.files-0123abcd`;
  const network = of.container("network");
  const sleeping = ["--init", "--entrypoint", "sleep", "postgres:17", "600"];
  await docker("run", "-d", "--name", node, ...labels, "--label", "pg-topology.node=node-9", ...sleeping);
  await docker("run", "-d", "--name", job, ...labels, ...sleeping);
  await docker("create", "--name", helper, ...labels, ...sleeping);
  // The command line refuses a second network of one name, the engine does not.
  await new Docker().createNetwork({ Name: network, CheckDuplicate: false, Labels: { ...of.labels } });
  return [node, job, helper, network];
}

/** What a job and a helper container leave when they are killed while they write. */
async function leaveUnfinishedVolumes(of: TestStack): Promise<void> {
  const labels = Object.entries(of.labels).flatMap(([key, value]) => ["--label", `${key}=${value}`]);
  const volumes = NODES.flatMap((node) => [`${of.container(node)}-data`, `${of.container(node)}-configuration`]);
  for (const volume of volumes) await docker("volume", "create", ...labels, volume);
  const mounts = NODES.flatMap((node) => [
    ...["-v", `${of.container(node)}-data:/${node}/data`],
    ...["-v", `${of.container(node)}-configuration:/${node}/configuration`],
  ]);
  const unfinished = NODES.map(
    (node) =>
      `mkdir -p /${node}/data/staging && echo 17 > /${node}/data/staging/PG_VERSION && touch /${node}/configuration/guard`,
  ).join(" && ");
  await docker("run", "--rm", ...labels, ...mounts, "--entrypoint", "sh", "postgres:17", "-c", unfinished);
}
