import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { execa } from "execa";
import { psqlAsClient } from "../support/clients.ts";
import { docker } from "../support/containers.ts";
import { describeFirstUp } from "../support/first-up-checks.ts";
import type { StackOutputs } from "../support/outputs.ts";
import { freePorts } from "../support/ports.ts";
import { PROJECT_DIRECTORY } from "../support/project.ts";
import { expectStreaming } from "../support/replication-checks.ts";
import { psqlIn, rowsIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";

/** The other tests run on postgres:17. This one is made or pulled where it is not there yet. */
const OTHER_MAJOR = "postgres:15";

describe(OTHER_MAJOR, () => {
  const NODES = ["node-1", "node-2"];
  let stack: TestStack;
  let config: StackConfig;
  let containers: string[];

  beforeAll(async () => {
    await execa(join(PROJECT_DIRECTORY, "toolchain", "setup"), ["--image", OTHER_MAJOR]);
    const ports = await freePorts(NODES.length);
    config = {
      image: OTHER_MAJOR,
      primary: "node-1",
      nodes: NODES.map((name, index) => ({ name, port: ports[index] })),
      archiving: { enabled: true },
    };
    stack = await TestStack.create(config);
    await stack.up();
    containers = NODES.map((node) => stack.container(node));
  });
  afterAll(() => stack.dispose());

  describeFirstUp({ stack: () => stack, image: OTHER_MAJOR, nodes: NODES });

  test("it is that major", async () => {
    expect(await psqlIn(stack.container("node-1"), "SHOW server_version_num")).toMatch(/^15/);
  });

  test("its WAL is archived", async () => {
    const segment = await psqlIn(stack.container("node-1"), "SELECT pg_walfile_name(pg_switch_wal())");
    const archived = "SELECT last_archived_wal FROM pg_stat_archiver WHERE failed_count = 0";
    await expect.poll(() => psqlIn(stack.container("node-1"), archived), { timeout: 30_000 }).toBe(segment);
  });

  test("nothing changes after every container was restarted", async () => {
    await docker("restart", ...containers);
    await stack.expectNoChanges("--refresh");
  });

  test("a parameter that needs a restart gets one on every node", async () => {
    await stack.configure({ ...config, parameters: { max_connections: 40 } });
    await stack.up();
    const shown = await Promise.all(containers.map((container) => psqlIn(container, "SHOW max_connections")));
    expect(shown).toEqual(["40", "40"]);
    await expectStreaming(stack, "node-1", ["node-2"]);
  });
});

describe("an image of one's own, with initialisation scripts, and a topology of one node", () => {
  const image = "pg-topology-test/postgres:17-scripts";
  let stack: TestStack;

  beforeAll(async () => {
    await buildImage(image, {
      "10-role.sh": 'psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "CREATE ROLE auditor"',
      "20-table.sql": "CREATE TABLE audit (entry text); ALTER TABLE audit OWNER TO auditor;",
    });
    const [port] = await freePorts(1);
    stack = await TestStack.create({ image, primary: "node-1", nodes: [{ name: "node-1", port }] });
    await stack.up();
  });
  afterAll(async () => {
    await stack.dispose();
    await docker("rmi", image);
  });

  test("the scripts ran, once", async () => {
    const owner = "SELECT tableowner AS owner FROM pg_tables WHERE tablename = 'audit'";
    expect(await rowsIn(stack.container("node-1"), owner)).toEqual([{ owner: "auditor" }]);
    await stack.expectNoChanges();
  });

  test("one node takes writes and answers reads", async () => {
    const { readWriteUri, readOnlyUri, replication } = await stack.outputs<StackOutputs>();
    await psqlAsClient(image, readWriteUri, "CREATE TABLE notes (text text)");
    expect(await psqlAsClient(image, readOnlyUri, "SELECT count(*) FROM notes")).toBe("0");
    expect(replication).toEqual([]);
  });
});

/** postgres:17 with these files among its initialisation scripts. */
async function buildImage(image: string, scripts: Readonly<Record<string, string>>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "pg-topology-image-"));
  try {
    await writeFile(join(folder, "Dockerfile"), "FROM postgres:17\nCOPY scripts/ /docker-entrypoint-initdb.d/\n");
    await mkdir(join(folder, "scripts"));
    for (const [name, text] of Object.entries(scripts)) await writeFile(join(folder, "scripts", name), `${text}\n`);
    await docker("build", "--quiet", "--tag", image, folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
