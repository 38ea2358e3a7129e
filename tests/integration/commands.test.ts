import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import type { ImpactReport } from "../../operations/impact-file.ts";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { stackStatus } from "../../operations/status-schema.ts";
import type { StackStatus } from "../../operations/status-schema.ts";
import { Clone } from "../support/clone.ts";
import { docker } from "../support/containers.ts";
import { derivedImage, removeImages } from "../support/images.ts";
import { psqlIn } from "../support/servers.ts";
import { removeByLabel } from "../support/stack.ts";
import { WORLD, inWorld } from "../support/world.ts";

let clone: Clone;
let firstStart: string;

beforeAll(async () => {
  clone = await Clone.create();
  firstStart = await clone.succeed("npm start");
});
afterAll(() => clone.dispose());

const node = (name: string): string => clone.container("dev", name);

async function status(): Promise<StackStatus & { exitCode: number; kinds: string[] }> {
  const { exitCode, output } = await clone.shell("npm run --silent status -- --json");
  const told = stackStatus.parse(JSON.parse(output));
  return { ...told, exitCode, kinds: told.problems.map(({ kind }) => kind) };
}

describe("npm start", () => {
  test("ends with the replication that it verified, and with what to do next", () => {
    expect(firstStart).toMatch(/^node-1 +primary +running +1 +127\.0\.0\.1:\d+ +17\.\d+ +\d+ s$/m);
    expect(firstStart).toMatch(
      /^node-2 +standby +streaming +1 +127\.0\.0\.1:\d+ +node-1 +async +\d+ k?B +node_2 +\d+ k?B +yes +17\.\d+ +\d+ s$/m,
    );
    expect(firstStart).toContain("dev is healthy.");
    expect(firstStart).toContain("npm run destroy");
  });

  test("a second time changes nothing", async () => {
    const output = await clone.succeed("npm start");
    expect(output).toMatch(/^Resources:\n {4}\d+ unchanged$/m);
    expect(output).toContain("dev is healthy.");
  });

  test("leaves its stack selected, so that pulumi without --stack means it", async () => {
    expect((await clone.succeed("toolchain/run pulumi stack --show-name")).trim()).toBe("dev");
  });

  test("makes no stack for a slip of the keyboard", async () => {
    const { exitCode, output } = await clone.shell("npm start -- --stack deb");
    expect(exitCode).toBe(1);
    expect(output).toContain("There is no stack file Pulumi.deb.yaml. Copy Pulumi.dev.yaml to it");
    expect(await clone.succeed("toolchain/run pulumi stack ls")).not.toContain("deb");
  });

  test("says which passphrase is missing where a stack file was written with another one", async () => {
    const salt = "encryptionsalt: v1:Yt3X3NiSrGg=:v1:DH3jgzk8Q6zBbirV:5Qa8plYqpTcyWH24k8UMDkVLSCEbCQ==";
    const file = await readFile(clone.path("Pulumi.staging.yaml"), "utf8");
    onTestFinished(() => writeFile(clone.path("Pulumi.staging.yaml"), file));
    await writeFile(clone.path("Pulumi.staging.yaml"), `${file}${salt}\n`);
    const { exitCode, output } = await clone.shell("npm start -- --stack staging");
    expect(exitCode).toBe(1);
    expect(output).toContain("The line encryptionsalt of Pulumi.staging.yaml belongs to another passphrase");
    expect(output).not.toMatch(/^\s+at /m);
  });

  test("tells what a wrong command line should have been", async () => {
    const { exitCode, output } = await clone.shell("npm start -- --stak dev");
    expect(exitCode).toBe(64);
    expect(output).toContain("usage: npm start [-- --stack NAME]");
  });

  test("removes what an interrupted update left: a container that the state does not know", async () => {
    const labels = Object.entries(clone.labels("dev")).flatMap(([key, value]) => ["--label", `${key}=${value}`]);
    const name = `${clone.project}-dev-left-behind`;
    await docker("create", "--name", name, ...labels, "postgres:17");
    const output = await clone.succeed("npm start");
    expect(output).toContain(`stopped and removed the job ${name}, which the state does not know`);
    expect(await docker("ps", "-aq", "--filter", `name=${name}`)).toBe("");
  });
});

describe("npm run preview", () => {
  const impact = async (...args: string[]): Promise<ImpactReport & { exitCode: number }> => {
    const command = ["npm run --silent preview -- --json-impact", ...args, "2>/dev/null"].join(" ");
    const { exitCode, output } = await clone.shell(command);
    return { ...(JSON.parse(output) as ImpactReport), exitCode };
  };

  test("tells programs what an update would do, and fails where that is more than they allow", async () => {
    expect(await impact("--max-impact", "none", "--diff")).toEqual({ impact: "none", findings: [], exitCode: 0 });

    const file = await readFile(clone.path("Pulumi.dev.yaml"), "utf8");
    onTestFinished(() => writeFile(clone.path("Pulumi.dev.yaml"), file));
    const parameters = `${clone.project}:parameters: { max_connections: 150 }`;
    const changed = file.replace("config:\n", `config:\n  ${parameters}\n`);
    await writeFile(clone.path("Pulumi.dev.yaml"), changed);
    const { findings, ...report } = await impact("--max-impact=reload");
    expect(report).toEqual({ impact: "restart", exitCode: 3 });
    expect(findings).toContainEqual({
      resource: "topology",
      source: "change",
      level: "restart",
      nodes: ["node-2", "node-1"],
      message: "rolling restart: node-2, node-1 (max_connections); write gap about 1 s",
    });
    expect((await impact("--max-impact", "restart")).exitCode).toBe(0);
  });

  test("previews the stack file of production, of which nothing is there yet", async () => {
    const file = await readFile(clone.path("Pulumi.production.yaml"), "utf8");
    onTestFinished(() => writeFile(clone.path("Pulumi.production.yaml"), file));
    await clone.succeed("toolchain/run pulumi stack init production --no-select");
    const output = await clone.succeed("npm run --silent preview -- --stack production");
    expect(output).toContain("node-4-server");
    expect(output).toContain("backup-drill");
    expect(output).toMatch(/\+ \d+ to create/);
    expect(await docker("ps", "-aq", "--filter", `name=${clone.project}-production`)).toBe("");
    await clone.succeed("toolchain/run pulumi stack rm --yes --preserve-config --stack production");
  });

  inWorld(() => {
    test("hands everything else to pulumi preview", async () => {
      const { exitCode, output } = await clone.shell("npm run --silent preview -- --expect-no-changes --stack dev");
      expect(output).toContain("unchanged");
      expect(exitCode).toBe(0);
    });
  });
});

inWorld(() => {
  describe("npm run rolling-update", () => {
    const image = "pg-topology-test/postgres:17-rolling";
    const imagesInUse = (): Promise<string[]> =>
      Promise.all(["node-1", "node-2"].map((name) => docker("inspect", "--format", "{{.Config.Image}}", node(name))));

    const primary = (): Promise<string> => clone.succeed("toolchain/run pulumi stack output primary --stack dev");

    test("brings another image to every node: the standby, then the old primary once it is one", async () => {
      await derivedImage(image, "postgres:17", "ENV ROLLING=1");
      const output = await clone.succeed(`npm run rolling-update -- --image ${image}`);
      expect(output).toContain(`1 of 3: node-2 get ${image}`);
      expect(output).toContain("2 of 3: node-2 becomes the primary in place of node-1");
      expect(output).toContain("dev is healthy.");
      expect(await imagesInUse()).toEqual([image, image]);
      expect(await primary()).toContain("node-2");
    });

    test("goes on where it was interrupted, whatever a status finds that no update mends", async () => {
      await psqlIn(node("node-2"), "SELECT pg_create_physical_replication_slot('of_a_tool', true)");
      await clone.succeed("toolchain/run pulumi config set --path 'nodes[0].image' postgres:17 --stack dev");
      const { exitCode, output } = await clone.shell("npm run rolling-update -- --image postgres:17");
      await psqlIn(node("node-2"), "SELECT pg_drop_replication_slot('of_a_tool')");
      expect(output).toContain("of_a_tool");
      expect(exitCode).toBe(0);
      expect(output).toContain("1 of 4: what was begun before is finished");
      expect(await imagesInUse()).toEqual(["postgres:17", "postgres:17"]);
      expect(await primary()).toContain("node-1");
      expect(await readFile(clone.path("Pulumi.dev.yaml"), "utf8")).not.toMatch(/name: node-\d.*image/);
      await removeImages(image);
    });

    test("refuses before anything is written where a node has an image of its own", async () => {
      const before = await readFile(clone.path("Pulumi.dev.yaml"), "utf8");
      onTestFinished(() => writeFile(clone.path("Pulumi.dev.yaml"), before));
      await clone.succeed("toolchain/run pulumi config set --path 'nodes[1].image' postgres:17 --stack dev");
      const canary = await readFile(clone.path("Pulumi.dev.yaml"), "utf8");
      const { exitCode, output } = await clone.shell(`npm run rolling-update -- --image ${image}`);
      expect(exitCode).toBe(1);
      expect(output).toContain(`node-2 would not get ${image}`);
      expect(await readFile(clone.path("Pulumi.dev.yaml"), "utf8")).toBe(canary);
    });

    test("leaves the stack file as it was where the image is refused", async () => {
      const before = await readFile(clone.path("Pulumi.dev.yaml"), "utf8");
      const { exitCode, output } = await clone.shell("npm run rolling-update -- --image postgres:16");
      expect(exitCode).toBe(1);
      expect(output).toContain("move the data with pg_dump");
      expect(await readFile(clone.path("Pulumi.dev.yaml"), "utf8")).toBe(before);
    });
  });
});

describe("npm run status", () => {
  test("ends with 0 where all is well, without Pulumi and its passphrase", async () => {
    const withoutPulumi = { PULUMI_BACKEND_URL: "file:///nowhere", PULUMI_CONFIG_PASSPHRASE: "" };
    const { exitCode, output } = await clone.shell("npm run --silent status", withoutPulumi);
    expect(output).toContain("dev is healthy.");
    expect(exitCode).toBe(0);
  });

  test("gives the same as JSON", async () => {
    const { exitCode, condition, nodes, problems } = await status();
    expect({ exitCode, condition, problems }).toEqual({ exitCode: 0, condition: "healthy", problems: [] });
    // In the world a rolling update has changed the primary, and another one has changed it back.
    const timeline = WORLD ? 3 : 1;
    expect(nodes).toMatchObject([
      { name: "node-1", container: node("node-1"), role: "primary", state: "running", timeline, upstream: null },
      { name: "node-2", container: node("node-2"), role: "standby", state: "streaming", upstream: "node-1", tls: true },
    ]);
    expect(nodes[1]).toMatchObject({
      slot: { name: "node_2", active: true, secondsUntilLost: null },
      syncState: "async",
      replayLagBytes: expect.any(Number) as number,
      version: expect.stringMatching(/^17\.\d+$/) as string,
    });
    const inNineMonths = new Date(Date.now() + 270 * 86_400_000).toISOString();
    for (const { certificateEndsAt } of nodes)
      expect(certificateEndsAt ?? "").toSatisfy((end: string) => end > inNineMonths);
  });

  inWorld(() => {
    test("names what waits for a restart, and what was set by hand", async () => {
      await psqlIn(node("node-1"), "ALTER SYSTEM SET max_connections = 120");
      await psqlIn(node("node-1"), "SELECT pg_reload_conf()");
      const kinds = async (): Promise<string[]> => (await status()).kinds;
      await expect.poll(kinds, { timeout: 20_000 }).toEqual(["restart-pending", "altered-system"]);
      const { exitCode, output } = await clone.shell("npm run --silent status");
      expect(exitCode).toBe(1);
      expect(output).toContain(
        "node-1: max_connections waits for a restart; until then the old value counts: `npm start -- --stack dev` restarts what has to be, in the right order.",
      );
      await clone.succeed("npm start");
      expect((await status()).kinds).toEqual([]);
    });
  });

  test("a stopped standby degrades the stack, and npm start brings it back", async () => {
    await docker("stop", node("node-2"));
    const { exitCode, condition, problems, nodes } = await status();
    expect({ exitCode, condition }).toEqual({ exitCode: 1, condition: "degraded" });
    expect(problems).toContainEqual({
      kind: "container-stopped",
      node: "node-2",
      what: "its container is stopped",
      why: "it serves nobody, and cannot take over",
      run: "`npm start -- --stack dev` brings it back",
    });
    expect(nodes[1]).toMatchObject({
      role: null,
      state: "exited",
      endpoint: null,
      slot: { name: "node_2", active: false },
    });
    await clone.succeed("npm start");
    expect((await status()).condition).toBe("healthy");
  });

  test("a server that hangs is told within seconds", async () => {
    await docker("kill", "--signal", "STOP", node("node-2"));
    const began = performance.now();
    const { exitCode, problems } = await status();
    await docker("kill", "--signal", "CONT", node("node-2"));
    expect(exitCode).toBe(1);
    expect(problems).toMatchObject([
      { kind: "no-answer", node: "node-2", what: "it does not answer (no answer in 2 s)" },
    ]);
    expect(performance.now() - began).toBeLessThan(15_000);
  });

  test("a paused standby", async () => {
    await docker("pause", node("node-2"));
    const paused = await status();
    await docker("unpause", node("node-2"));
    expect(paused.kinds).toEqual(["container-paused"]);
  });

  inWorld(() => {
    test("without a primary nobody takes writes", async () => {
      await docker("stop", node("node-1"));
      const down = await status();
      await clone.succeed("npm start");
      expect({ exitCode: down.exitCode, condition: down.condition }).toEqual({ exitCode: 2, condition: "down" });
      expect(down.kinds).toEqual(["no-primary", "container-stopped"]);
      expect(down.nodes[1]).toMatchObject({ role: "standby", state: "not streaming" });
    });
  });

  test("--watch goes on asking, and shows what has changed", async () => {
    const watching = clone.start("exec npm run --silent status -- --watch");
    let shown = "";
    watching.all.on("data", (chunk: Buffer) => (shown += chunk.toString()));
    await expect.poll(() => shown.match(/dev is healthy\./g)?.length ?? 0, { timeout: 20_000 }).toBeGreaterThan(1);
    await docker("pause", node("node-2"));
    await expect.poll(() => shown, { timeout: 20_000 }).toContain("node-2: its container is paused; ");
    await docker("unpause", node("node-2"));
    if (watching.pid !== undefined) process.kill(-watching.pid, "SIGINT");
    await watching;
  });

  test("a stack that is not there", async () => {
    const { exitCode, output } = await clone.shell("npm run --silent status -- --stack production");
    expect(exitCode).toBe(2);
    expect(output).toBe(
      "No node of the stack production is on this engine. npm start -- --stack production brings it up.",
    );
  });

  test("an engine that is down", async () => {
    const { exitCode, output } = await clone.shell("npm run --silent status", { DOCKER_HOST: "tcp://127.0.0.1:1" });
    expect(exitCode).toBe(2);
    expect(output).toContain("expected a Docker engine at tcp://127.0.0.1:1, but none answers.");
  });

  test("an engine that hangs", async () => {
    const engine = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void engine.close());
    await new Promise((resolve) => engine.once("listening", resolve));
    const { port } = engine.address() as AddressInfo;
    const { exitCode, output } = await clone.shell("npm run --silent status", {
      DOCKER_HOST: `tcp://127.0.0.1:${port}`,
    });
    expect(exitCode).toBe(2);
    expect(output).toBe("The Docker engine did not answer in 3 s");
  });
});

inWorld(() => {
  describe("npm run failover", () => {
    const file = (): Promise<string> => readFile(clone.path("Pulumi.dev.yaml"), "utf8");

    test("says what is known of a dead primary, and changes nothing until the loss is accepted", async () => {
      const before = await file();
      await docker("pause", node("node-2"));
      await psqlIn(node("node-1"), "CREATE TABLE only_here AS SELECT generate_series(1, 1000) AS n");
      await docker("kill", node("node-1"));
      await docker("unpause", node("node-2"));
      const { exitCode, output } = await clone.shell("npm run failover -- --to node-2 --yes");
      expect(exitCode).toBe(1);
      expect(output).toContain("failover: node-1 does not answer, is fenced, and node-2 takes its place");
      expect(output).toMatch(/: [1-9]\d+ bytes would be lost\./);
      expect(output).toMatch(/--yes alone does not accept that: add --lost-bytes [1-9]\d+\./);
      expect((await clone.shell("npm run failover -- --to node-2")).output).toContain("no terminal to ask on");
      expect(await file()).toBe(before);
    });

    test("with the loss accepted, makes the other node the primary and lets the old one rejoin", async () => {
      const timeline = Math.max(...(await status()).nodes.map((one) => one.timeline ?? 0)) + 1;
      const output = await clone.succeed("npm run failover -- --to node-2 --yes --lost-bytes 10000000");
      expect(output).toMatch(new RegExp(`^node-2 +primary +running +${timeline} `, "m"));
      expect(output).toMatch(new RegExp(`^node-1 +standby +streaming +${timeline} `, "m"));
      expect(output).toContain("dev is healthy.");
      expect(await file()).toContain(`${clone.project}:primary: node-2`);
      expect(await file()).not.toContain("lostBytes");
      expect(await clone.succeed("npm start")).toMatch(/^Resources:\n {4}\d+ unchanged$/m);
    });

    test("refuses a node that is none, or that is the primary", async () => {
      const { output } = await clone.shell("npm run failover -- --to node-9");
      expect(output).toContain('expected --to to name a node of the stack (node-1, node-2), but got "node-9".');
      const primary = await clone.shell("npm run failover -- --to node-2");
      expect(primary.output).toContain("node-2 is the primary already.");
    });
  });
});

test("two nodes that take writes: where they parted, and what each has of its own", async () => {
  const before = (await status()).nodes;
  const [primary, standby] = ["primary", "standby"].map((role) => before.find((one) => one.role === role)?.name ?? "");
  const timeline = before[0]?.timeline ?? 0;
  // Out of reach of its peers a primary cannot learn that there is a newer one.
  await docker("network", "disconnect", `${clone.project}-dev-network`, node(primary ?? ""));
  await psqlIn(node(standby ?? ""), "SELECT pg_promote()");
  await psqlIn(node(primary ?? ""), "CREATE TABLE on_one_side ()");
  await psqlIn(node(standby ?? ""), "CREATE TABLE on_the_other ()");
  const { exitCode, kinds, problems, divergences, timelines } = await status();
  expect(exitCode).toBe(1);
  expect(kinds.slice(0, 2)).toEqual(["two-primaries", "diverged"]);
  expect(problems[0]).toMatchObject({ what: "node-1 and node-2 take writes" });
  expect(problems[1]?.what).toMatch(
    /^it has parted from node-\d at 0\/[0-9A-F]+: since then it has [1-9]\d+ bytes of /,
  );
  expect(divergences[0]?.nodes.map(({ name, timeline: on }) => ({ name, on }))).toEqual([
    { name: standby, on: timeline + 1 },
    { name: primary, on: timeline },
  ]);
  expect(timelines.at(-1)).toMatchObject({
    timeline: timeline + 1,
    parent: timeline,
    forkLsn: divergences[0]?.forkLsn,
    reason: "promotion",
    firstSeenOn: standby,
  });
  // Its clean stop would wait for the standby that it cannot reach.
  await docker("kill", node(primary ?? ""));
});

test("npm run destroy leaves nothing of the stack on the engine", async () => {
  await clone.succeed("npm run destroy -- --yes");
  const filter = ["--filter", `label=pg-topology.project=${clone.project}`];
  expect(await docker("ps", "-aq", ...filter)).toBe("");
  expect(await docker("volume", "ls", "-q", ...filter)).toBe("");
  expect(await docker("network", "ls", "-q", ...filter)).toBe("");
});

inWorld(() => {
  test.each(["SIGINT", "SIGKILL"] as const)("npm start converges after one that got %s", async (signal) => {
    const interrupted = clone.start("npm start");
    const begun = new Promise((resolve) => {
      interrupted.all.on("data", (chunk: Buffer) => {
        if (chunk.includes("Container node-1-container creating")) resolve(true);
      });
    });
    const ended = interrupted.then(({ all }) => Promise.reject(new Error(`npm start ended by itself:\n${all}`)));
    await Promise.race([begun, ended]);
    if (interrupted.pid === undefined) throw new Error("npm start did not begin");
    process.kill(-interrupted.pid, signal);
    await interrupted;
    expect(await clone.succeed("npm start")).toContain("dev is healthy.");
    await clone.succeed("npm run destroy -- --yes");
  });

  test("npm start uses a backend and a passphrase of the user's own", async () => {
    const own = { PULUMI_BACKEND_URL: `file://${clone.path("own-backend")}`, PULUMI_CONFIG_PASSPHRASE: "my own" };
    await mkdir(clone.path("own-backend"));
    const refused = await clone.shell("npm start", own);
    expect(refused.output).toContain("The line encryptionsalt of Pulumi.dev.yaml belongs to another passphrase");
    const file = await readFile(clone.path("Pulumi.dev.yaml"), "utf8");
    await writeFile(clone.path("Pulumi.dev.yaml"), file.replace(/^encryptionsalt:.*$/m, ""));
    const { exitCode, output } = await clone.shell("npm start", own);
    expect({ exitCode, output }).toMatchObject({
      exitCode: 0,
      output: expect.stringContaining("dev is healthy.") as string,
    });
    expect(await readdir(clone.path(`own-backend/.pulumi/stacks/${clone.project}`))).toContain("dev.json");
  });
});

test("where only the volumes are left, status says so", async () => {
  await leaveVolume("lost");
  const { exitCode, output } = await clone.shell("npm run --silent status -- --stack lost");
  expect(exitCode).toBe(2);
  expect(output).toContain(
    "node-1: its container is gone; it serves nobody, and its data is only where its volume is left: ",
  );
});

test("without a name the only stack is meant, and none of several", async () => {
  await removeByLabel(clone.labels("dev"));
  const none = await clone.shell("npm run --silent status");
  expect(none.exitCode).toBe(2);
  expect(none.output).toBe(
    `No stack of the project ${clone.project} is on this engine. npm start brings the stack dev up.`,
  );
  await leaveVolume("lost");
  expect((await clone.shell("npm run --silent status")).output).toContain("lost is down.");
  await leaveVolume("second");
  const several = await clone.shell("npm run --silent status");
  expect(several.exitCode).toBe(2);
  expect(several.output).toBe(
    `Several stacks of the project ${clone.project} are on this engine: lost, second. Say which one is meant: npm run status -- --stack lost`,
  );
});

/** A data volume of a stack whose containers are gone, until the end of the test. */
async function leaveVolume(stack: string): Promise<void> {
  const labels = Object.entries({ ...clone.labels(stack), "pg-topology.node": "node-1" });
  const options = labels.flatMap(([key, value]) => ["--label", `${key}=${value}`]);
  onTestFinished(() => removeByLabel(clone.labels(stack)));
  await docker("volume", "create", ...options, `${clone.project}-${stack}-node-1-data`);
}
