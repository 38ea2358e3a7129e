import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { docker, logOf, volumesOf } from "../support/containers.ts";
import { expectConverged } from "../support/convergence.ts";
import { expectFailingUp } from "../support/failures.ts";
import { freePorts } from "../support/ports.ts";
import { slotsOn } from "../support/replication-checks.ts";
import { psqlIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";

const IMAGE = "postgres:17";
const OLDER_IMAGE = "postgres:15";
const DATA = "/var/lib/postgresql/data";

describe("the volume of a standby", () => {
  let stack: TestStack;
  let alone: StackConfig;
  let both: StackConfig;

  beforeAll(async () => {
    const [first, second] = (await freePorts(2)).map((port, index) => ({ name: `node-${index + 1}`, port }));
    both = { primary: "node-1", nodes: [first, second] };
    alone = { primary: "node-1", nodes: [first] };
    stack = await TestStack.create(both);
    await stack.up();
    await psqlIn(stack.container("node-1"), "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS number");
  });
  afterAll(() => stack.dispose());

  test("of the wrong owner is given to the right one", async () => {
    const node = stack.container("node-2");
    await docker("stop", node);
    const spoil = "chown -R root:root /data /configuration && chmod 700 /data && chmod 600 /configuration/passfile";
    const mounts = ["-v", `${node}-data:/data`, "-v", `${node}-configuration:/configuration`];
    await docker("run", "--rm", ...mounts, "--entrypoint", "sh", IMAGE, "-c", spoil);
    await stack.up();
    await expectConverged(stack, ["node-1", "node-2"]);
  });

  test("with another cluster is refused, and its server does not start beside the primary", async () => {
    await stack.configure(alone);
    await stack.up();
    await volume(stack, "node-2");
    await found(stack, "node-2", IMAGE);

    await stack.configure(both);
    await expectFailingUp(
      stack,
      "the data volume of node-2 holds another cluster",
      "take node-2 out of the stack file",
    );
    expect(await logOf(stack.container("node-2"))).toContain(
      "node-2 does not start as a primary: its data is of another cluster than the data of node-1.",
    );

    await stack.configure(alone);
    expect(await stack.failingUp()).toContain("it holds another cluster than node-1");
    await stack.configure({ ...alone, acknowledge: { volumes: [`${stack.container("node-2")}-data`] } });
    await stack.up();
    expect(await volumesOf(stack)).not.toContain(`${stack.container("node-2")}-data`);
    await stack.configure(both);
    await stack.up();
    await expectConverged(stack, ["node-1", "node-2"]);
  });

  test("that is full ends the clone, which leaves no slot", async () => {
    await stack.configure(alone);
    await stack.up();
    await volume(stack, "node-2", "--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", "o=size=200m");
    const holder = await fill(stack, "node-2", 190);
    try {
      await stack.configure(both);
      await expectFailingUp(stack, "base-backup ended with exit code", "No space left on device");
      expect(await slotsOn(stack.container("node-1"))).toEqual([]);

      await docker("exec", holder, "rm", "/data/ballast");
      await stack.up();
      await expectConverged(stack, ["node-1", "node-2"]);
      expect(await psqlIn(stack.container("node-2"), "SELECT count(*) FROM kept")).toBe("1000");
      const bound = "SELECT setting::int FROM pg_settings WHERE name = 'max_slot_wal_keep_size'";
      const megabytes = Number(await psqlIn(stack.container("node-2"), bound));
      expect(megabytes).toBeGreaterThan(20);
      expect(megabytes).toBeLessThan(100);
      await stack.configure({ ...both, parameters: { max_slot_wal_keep_size: "150MB" } });
      await stack.up();
      expect(await psqlIn(stack.container("node-2"), bound)).toBe("150");
    } finally {
      await docker("rm", "--force", "--volumes", holder);
    }
  });
});

describe("the volume of a primary", () => {
  let stack: TestStack;
  let config: StackConfig;

  beforeAll(async () => {
    const [port] = await freePorts(1);
    config = { primary: "node-1", nodes: [{ name: "node-1", port }] };
    stack = await TestStack.create(config);
  });
  afterAll(() => stack.dispose());

  test("with a cluster of another major is refused, and taken over by an image of that major", async () => {
    await volume(stack, "node-1");
    await found(stack, "node-1", OLDER_IMAGE);
    await expectFailingUp(
      stack,
      "the data volume of node-1 holds a cluster of PostgreSQL 15, and the image is PostgreSQL 17",
      "Use an image of major 15",
    );

    await stack.configure({ ...config, image: OLDER_IMAGE });
    await stack.up();
    await expectConverged(stack, ["node-1"]);
    expect(await psqlIn(stack.container("node-1"), "SHOW server_version_num")).toMatch(/^15/);
  });
});

/** A volume that is there before the update that would make it. */
async function volume(stack: TestStack, node: string, ...options: string[]): Promise<void> {
  const labels = Object.entries(stack.labels).flatMap(([key, value]) => ["--label", `${key}=${value}`]);
  await docker("volume", "create", ...labels, ...options, `${stack.container(node)}-data`);
}

/** Founds a cluster of its own where a node keeps its data. */
async function found(stack: TestStack, node: string, image: string): Promise<void> {
  const mount = ["-v", `${stack.container(node)}-data:${DATA}`];
  const initdb = ["initdb", "--username=postgres", `--pgdata=${DATA}/pgdata`];
  await docker("run", "--rm", ...mount, "--user", "postgres", "--entrypoint", "env", image, ...initdb);
}

/** Leaves little room in a volume; what is in memory stays only as long as a container uses it. */
async function fill(stack: TestStack, node: string, megabytes: number): Promise<string> {
  const holder = `${stack.container(node)}-holder`;
  const mount = ["-v", `${stack.container(node)}-data:/data`];
  await docker("run", "-d", "--init", "--name", holder, ...mount, "--entrypoint", "sleep", IMAGE, "600");
  await docker("exec", holder, "dd", "if=/dev/zero", "of=/data/ballast", "bs=1M", `count=${megabytes}`);
  return holder;
}
