/** What set-up cannot do ends in one clear sentence; what only root may do, it leaves to the user. */
import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { completeMachine, offlineMachine, WORKING, type Machine, type Outcome } from "./support/machine.ts";

let machine: Machine;

afterEach(() => machine.remove());

function expectOneSentence(outcome: Outcome, sentence: RegExp): void {
  expect(outcome.exitCode).toBe(1);
  expect(outcome.stderr.split("\n")).toHaveLength(1);
  expect(outcome.stderr).toMatch(sentence);
}

async function asUser(): Promise<void> {
  await machine.command("id", "case $1 in -u) echo 1000 ;; -un) echo someone ;; esac");
}

async function withoutEngine(): Promise<void> {
  await rm(join(machine.folder, "engine"));
}

describe("one sentence for", () => {
  test("no download and no Go", async () => {
    machine = await offlineMachine();
    await machine.withoutCommand("go");
    const clone = await machine.clone();

    expectOneSentence(
      await clone.setup(),
      /^pulumi: it could not be downloaded, and there is no Go to build it with: install Pulumi 3\.259\.0 or Go 1\.26, then run this again\.$/,
    );
  });

  test("no network to the Go modules", async () => {
    machine = await offlineMachine();
    await machine.command(
      "go",
      `for i in {1..200}; do echo "go: downloading $i"; done >&2
       echo 'dial tcp: lookup proxy: no such host' >&2; exit 1`,
    );
    const clone = await machine.clone();

    expectOneSentence(
      await clone.setup(),
      /^pulumi: it could not be downloaded, and the build from Go modules failed \(is there a network\?\): dial tcp.*\(all of it: \S+\/pulumi\.log\)$/,
    );
  });

  test("no Node, no npm", async () => {
    machine = await completeMachine();
    await machine.withoutCommand("node");
    const clone = await machine.clone();

    expectOneSentence(
      await clone.setup(),
      /^node: Node 22\.18\.0 or newer is needed, and there is no npm .*: install Node/,
    );
  });

  test("no network to the npm registry", async () => {
    machine = await completeMachine();
    await machine.command("node", "echo v20.1.0");
    await machine.command("npm", "echo 'npm error code ENOTFOUND' >&2; exit 1");
    const clone = await machine.clone();

    expectOneSentence(await clone.setup(), /^node: .* npm could not fetch it \(ENOTFOUND\): see \S+\/node\.log$/);
  });

  test("packages that are a link to another clone's", async () => {
    machine = await completeMachine();
    const clone = await machine.clone();
    const [lock, shared] = [clone.path("package-lock.json"), join(machine.folder, "shared")];
    await writeFile(lock, "{}");
    await mkdir(shared);
    await symlink(shared, clone.path("node_modules"));

    expectOneSentence(await clone.setup(), /^packages: node_modules is a link .*: remove the link/);
    expect(await machine.calls()).not.toContain("npm ci --no-audit --no-fund");
  });

  test("no network to Debian's packages", async () => {
    machine = await completeMachine();
    await withoutEngine();
    await machine.withoutCommand("dockerd");
    await machine.command("apt-get", "echo 'E: Unable to locate package docker.io'; exit 100");
    const clone = await machine.clone();

    expectOneSentence(
      await clone.setup(),
      /^engine: apt-get could not install docker\.io iptables .*E: Unable to locate/,
    );
  });

  test("an image that no registry has and that cannot be made", async () => {
    machine = await completeMachine();
    const clone = await machine.clone();

    expectOneSentence(
      await clone.setup("--image", "postgres:12"),
      /^image: postgres:12 is not on this engine and could not be pulled \(.*no such host\); only postgres:15, :17 and :18 /,
    );
  });

  test("an engine elsewhere that does not answer", async () => {
    machine = await completeMachine();
    await withoutEngine();
    const clone = await machine.clone();

    const outcome = await clone.setupWith({ DOCKER_HOST: "tcp://db-1:2376" });

    expectOneSentence(outcome, /^engine: the Docker engine at DOCKER_HOST=tcp:\/\/db-1:2376 does not answer/);
    expect(await machine.calls()).not.toContainEqual(expect.stringMatching(/^dockerd/));
  });
});

describe("a user who is not root", () => {
  test("without an engine is given the commands that install one", async () => {
    machine = await completeMachine();
    await withoutEngine();
    await asUser();
    for (const tool of ["docker", "dockerd"]) await machine.withoutCommand(tool);
    await machine.command("apt-get");
    const clone = await machine.clone();

    const { exitCode, stderr } = await clone.setup();

    expect(exitCode).toBe(1);
    expect(stderr.split("\n")).toEqual([
      expect.stringMatching(/^engine: there is no Docker engine, and installing one needs root\./),
      "    sudo apt-get install -y docker.io iptables",
      "    sudo usermod -aG docker someone",
    ]);
    expect(await machine.calls()).not.toContainEqual(expect.stringMatching(/^apt-get/));
  });

  test("with an engine that is down is given the command that starts it", async () => {
    machine = await completeMachine();
    await withoutEngine();
    await asUser();
    const clone = await machine.clone();

    const { exitCode, stderr } = await clone.setup();

    expect(exitCode).toBe(1);
    expect(stderr).toContain("    sudo systemctl start docker");
    expect(await machine.calls()).not.toContainEqual(expect.stringMatching(/^dockerd/));
  });

  test("who may not use the engine that runs is told how to be let in", async () => {
    machine = await completeMachine();
    await withoutEngine();
    await asUser();
    await machine.command("pidof", "exit 0");
    const clone = await machine.clone();

    expect((await clone.setup()).stderr).toMatch(/^engine: a Docker engine runs, but you may not use it.*\n.*usermod/);
  });

  test("is given the commands that make a stand-in image", async () => {
    machine = await completeMachine();
    await asUser();
    const clone = await machine.clone();

    const { exitCode, stderr } = await clone.setup("--image", "postgres:15");

    expect(exitCode).toBe(1);
    expect(stderr).toContain("sudo apt-get install -y debootstrap");
    expect(stderr).toMatch(/toolchain\/setup --image postgres:15$/);
    expect(await machine.calls()).not.toContainEqual(expect.stringMatching(/^rootfs/));
  });
});

test("the steps that do not need each other go on when one fails", async () => {
  machine = await offlineMachine();
  await machine.withoutCommand("go");
  await withoutEngine();
  await machine.command("dockerd", 'touch "$MACHINE/engine"');
  const clone = await machine.clone();

  const { exitCode, stdout } = await clone.setup();

  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^node .* s$/m);
  expect(stdout).toMatch(/^image .* s$/m);
});

test("a parameter that it does not know is answered with its usage", async () => {
  machine = await completeMachine();
  const clone = await machine.clone();

  const { exitCode, stderr } = await clone.setup("--nonsense");

  expect(exitCode).toBe(2);
  expect(stderr).toContain("toolchain/setup [--image IMAGE]");
});

test("a failed download of a tool leaves nothing in the cache", async () => {
  machine = await offlineMachine();
  await machine.command("go", `${WORKING.go}\nexit 1`);
  const clone = await machine.clone();

  expect((await clone.setup()).exitCode).toBe(1);
  const entries = await readdir(machine.cache);
  expect(entries.filter((entry) => /^(pulumi|plugin)/.test(entry))).toEqual([]);
});
