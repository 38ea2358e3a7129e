/** Which way set-up chooses: what the user has, else the official one, else the build from package registries. */
import { mkdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { completeMachine, exists, offlineMachine, pulumi, WORKING, type Machine } from "./support/machine.ts";

let machine: Machine;

afterEach(() => machine.remove());

/** What was built from Go modules, in order. */
async function goBuilds(): Promise<string[]> {
  return (await machine.calls()).filter((call) => call.startsWith("go build "));
}

async function callsTo(...commands: string[]): Promise<string[]> {
  const calls = await machine.calls();
  return calls.filter((call) => commands.includes(call.split(" ")[0] ?? ""));
}

describe("a machine that has everything", () => {
  test("is left as it is", async () => {
    machine = await completeMachine();
    for (const tool of ["npm", "go", "curl", "apt-get", "debootstrap"]) await machine.command(tool);
    const clone = await machine.clone();

    const outcome = await clone.setup();

    expect(outcome).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await callsTo("npm", "go", "curl", "apt-get", "debootstrap", "dockerd", "rootfs")).toEqual([]);
    expect((await callsTo("docker")).filter((call) => /docker (pull|import|build)/.test(call))).toEqual([]);
    expect(await callsTo("pulumi")).toEqual(["pulumi version"]);
  });

  test("is used: the user's Pulumi, with the user's plugins", async () => {
    machine = await completeMachine();
    const clone = await machine.clone();

    await clone.setup();

    expect(await readlink(clone.path(".pulumi-local/bin/pulumi"))).toBe(join(machine.folder, "bin/pulumi"));
    expect(await exists(clone.path(".pulumi-local/bin/node"))).toBe(false);
    expect(await exists(clone.path(".pulumi-local/pulumi-home"))).toBe(false);
  });

  test("gets one line a step, each with its duration", async () => {
    machine = await completeMachine();
    const clone = await machine.clone();

    const { stdout } = await clone.setup();

    const lines = stdout.split("\n").sort();
    expect(lines).toHaveLength(5);
    for (const line of lines) expect(line).toMatch(/^(engine|image|node|plugins|pulumi) .* \d+\.\d s$/);
  });
});

describe("a browser for the tests", () => {
  test("is looked for only where it is asked for, and that of the machine is taken", async () => {
    machine = await completeMachine();
    const browser = await machine.command("google-chrome");
    const clone = await machine.clone();

    await clone.setup();
    expect(await exists(clone.path(".pulumi-local/bin/chromium"))).toBe(false);

    expect((await clone.setup("--browser")).exitCode).toBe(0);
    expect(await readlink(clone.path(".pulumi-local/bin/chromium"))).toBe(browser);
  });

  test("is Debian's Chromium where there is none", async () => {
    machine = await completeMachine();
    const install = `printf '#!/bin/sh\\n' >"$BIN/chromium"; chmod +x "$BIN/chromium"`;
    await machine.command("apt-get", `case $* in *install*chromium) ${install} ;; esac`);
    const clone = await machine.clone();

    const outcome = await clone.setup("--browser");

    expect(outcome).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await readlink(clone.path(".pulumi-local/bin/chromium"))).toBe(join(machine.folder, "bin/chromium"));
  });
});

describe("a server of ssh for the tests", () => {
  const install = `printf '#!/bin/sh\\n' >"$BIN/sshd"; chmod +x "$BIN/sshd"`;

  test("is looked for only where it is asked for, and that of the machine is left alone", async () => {
    machine = await completeMachine();
    const clone = await machine.clone();
    await machine.command("apt-get", `case $* in *install*openssh-server) ${install} ;; esac`);

    await clone.setup();
    expect(await callsTo("apt-get")).toEqual([]);

    await machine.command("sshd");
    expect((await clone.setup("--sshd")).exitCode).toBe(0);
    expect(await callsTo("apt-get")).toEqual([]);
  });

  test("is Debian's where there is none, and systemd is told not to start it", async () => {
    machine = await completeMachine();
    await machine.command("apt-get", `case $* in *install*openssh-server) ${install} ;; esac`);
    await machine.command("systemctl", `case $1 in is-system-running) echo running ;; esac`);
    const clone = await machine.clone();

    const outcome = await clone.setup("--sshd");

    expect(outcome).toMatchObject({ exitCode: 0, stderr: "" });
    const done = (await callsTo("apt-get", "systemctl")).filter((call) => /mask|install|disable/.test(call));
    expect(done.map((call) => /unmask|mask|install|disable/.exec(call)?.[0])).toEqual([
      "mask",
      "install",
      "unmask",
      "disable",
    ]);
  });
});

describe("Pulumi", () => {
  test("that is too old is left alone, and the official download is used", async () => {
    machine = await completeMachine();
    const own = await machine.command("pulumi", pulumi("v3.200.0"));
    await machine.command("curl", WORKING.curl);
    const clone = await machine.clone();
    const before = await readFile(own, "utf8");

    const outcome = await clone.setup();

    expect(outcome).toMatchObject({ exitCode: 0, stderr: "" });
    expect(outcome.stdout).toContain("3.259.0 (official download)");
    const installer = (await callsTo("installer"))[0] ?? "";
    expect(installer).toMatch(/--no-edit-path --install-root \S+ --version 3\.259\.0$/);
    expect(await readlink(clone.path(".pulumi-local/bin/pulumi"))).toBe(
      join(machine.cache, "pulumi-3.259.0-download/bin/pulumi"),
    );
    expect(await readFile(own, "utf8")).toBe(before);
  });

  test("without its Node language host cannot run the program, so it does not count", async () => {
    machine = await completeMachine();
    await machine.withoutCommand("pulumi-language-nodejs");
    await machine.command("curl", WORKING.curl);
    const clone = await machine.clone();

    expect((await clone.setup()).stdout).toContain("3.259.0 (official download)");
  });

  test("in node_modules is npm's downloader, not the user's", async () => {
    machine = await completeMachine();
    await machine.withoutCommand("pulumi");
    await machine.command("curl", WORKING.curl);
    const clone = await machine.clone();
    const bin = clone.path("node_modules/.bin");
    await mkdir(bin, { recursive: true });
    await writeFile(join(bin, "pulumi"), '#!/bin/sh\necho shim >>"$MACHINE/calls"\necho v3.259.0\n', { mode: 0o755 });

    await clone.setupWith({ PATH: `${bin}:${machine.environment()["PATH"] ?? ""}` });

    expect(await machine.calls()).not.toContain("shim");
  });

  test("is built where the download server does not answer", async () => {
    machine = await offlineMachine();
    const clone = await machine.clone();

    const outcome = await clone.setup();

    expect(outcome).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await goBuilds()).toEqual([
      expect.stringContaining("github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"),
      expect.stringContaining("github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs"),
      expect.stringContaining("resource-docker-v5.2.0/pulumi-resource-docker ."),
      expect.stringContaining("resource-command-v1.2.1/pulumi-resource-command ."),
    ]);
  });

  test("that was built gets a PULUMI_HOME of its own, in which npm's shim finds it as well", async () => {
    machine = await offlineMachine();
    const clone = await machine.clone();

    await clone.setup();

    for (const file of [
      "versions/3.259.0/bin/pulumi",
      "versions/3.259.0/bin/pulumi-language-nodejs",
      "plugins/resource-docker-v5.2.0/pulumi-resource-docker",
      "plugins/resource-command-v1.2.1/pulumi-resource-command",
    ]) {
      expect(await exists(clone.path(`.pulumi-local/pulumi-home/${file}`)), file).toBe(true);
    }
    expect(await exists(join(machine.home, ".pulumi"))).toBe(false);
  });

  test("that was built stays in use when set-up is run with it", async () => {
    machine = await offlineMachine();
    const clone = await machine.clone();
    await clone.setup();
    const home = await readlink(clone.path(".pulumi-local/pulumi-home"));

    expect(await clone.run([clone.path("toolchain/setup")])).toMatchObject({ exitCode: 0, stderr: "" });

    expect(await readlink(clone.path(".pulumi-local/pulumi-home"))).toBe(home);
  });

  test("is built where the installer fails after all", async () => {
    machine = await offlineMachine();
    await machine.command("curl", 'case $* in *--output*) echo "exit 1" >"${@: -2:1}" ;; esac');
    const clone = await machine.clone();

    const outcome = await clone.setup();

    expect(outcome).toMatchObject({ exitCode: 0, stderr: "" });
    expect(outcome.stdout).toContain("3.259.0 (built from Go modules)");
    expect(await exists(join(machine.cache, "pulumi-3.259.0-download"))).toBe(false);
  });

  test("is built once: neither a second run nor a second clone tries again", async () => {
    machine = await offlineMachine();
    const clone = await machine.clone();
    await clone.setup();
    await machine.forgetCalls();

    const again = await clone.setup();
    const other = await (await machine.clone("other")).setup();

    expect([again.exitCode, other.exitCode]).toEqual([0, 0]);
    expect(await callsTo("go", "curl", "rootfs", "npm")).toEqual([]);
  });

  test("is built anew when a Go file has changed", async () => {
    machine = await offlineMachine();
    const clone = await machine.clone();
    await clone.setup();
    await machine.forgetCalls();

    await writeFile(clone.path("toolchain/plugin-command/more.go"), "package main\n");
    await clone.setup();

    expect(await goBuilds()).toEqual([expect.stringContaining("pulumi-resource-command")]);
  });
});

describe("plugins", () => {
  test("are installed by the user's Pulumi where it can download them", async () => {
    machine = await completeMachine();
    await rm(join(machine.home, ".pulumi"), { recursive: true });
    await machine.command("curl", WORKING.curl);
    const clone = await machine.clone();

    const outcome = await clone.setup();

    expect(outcome).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await callsTo("pulumi")).toEqual([
      "pulumi version",
      "pulumi plugin install resource docker 5.2.0",
      "pulumi plugin install resource command 1.2.1",
    ]);
    expect(await exists(clone.path(".pulumi-local/pulumi-home"))).toBe(false);
  });

  test("that must be built are kept out of the user's PULUMI_HOME", async () => {
    machine = await completeMachine();
    const plugins = join(machine.home, ".pulumi/plugins");
    await rm(join(plugins, "resource-docker-v5.2.0"), { recursive: true });
    await writeFile(join(plugins, "resource-command-v1.2.1/mine"), "");
    await machine.command("go", WORKING.go);
    const clone = await machine.clone();

    await clone.setup();

    expect(await exists(join(plugins, "resource-docker-v5.2.0"))).toBe(false);
    const home = clone.path(".pulumi-local/pulumi-home/plugins");
    expect(await exists(join(home, "resource-docker-v5.2.0/pulumi-resource-docker"))).toBe(true);
    expect(await exists(join(home, "resource-command-v1.2.1/mine")), "the user's own is used").toBe(true);
    expect(await readlink(clone.path(".pulumi-local/bin/pulumi"))).toBe(join(machine.folder, "bin/pulumi"));
  });

  test("whose installation was interrupted do not count", async () => {
    machine = await completeMachine();
    await writeFile(join(machine.home, ".pulumi/plugins/resource-docker-v5.2.0.partial"), "");
    await machine.command("go", WORKING.go);
    const clone = await machine.clone();

    await clone.setup();

    expect(await goBuilds()).toEqual([expect.stringContaining("pulumi-resource-docker")]);
  });

  test("of the user take the place of built ones once they are there", async () => {
    machine = await offlineMachine();
    const clone = await machine.clone();
    await clone.setup();

    await machine.command("pulumi", pulumi("v3.260.0"));
    await machine.command("pulumi-language-nodejs");
    await mkdir(join(machine.home, ".pulumi/plugins/resource-docker-v5.2.0"), { recursive: true });
    await mkdir(join(machine.home, ".pulumi/plugins/resource-command-v1.2.1"), { recursive: true });
    expect((await clone.setup()).stdout).toContain("3.260.0 (yours)");

    expect(await exists(clone.path(".pulumi-local/pulumi-home"))).toBe(false);
    expect(await readlink(clone.path(".pulumi-local/bin/pulumi"))).toBe(join(machine.folder, "bin/pulumi"));
  });
});

describe("Node", () => {
  test("that is too old is left alone, and a newer one fetched beside it", async () => {
    machine = await completeMachine();
    await machine.command("node", "echo v22.17.9");
    await machine.command("npm", WORKING.npm);
    const clone = await machine.clone();

    const outcome = await clone.setup();

    expect(outcome).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await callsTo("npm")).toEqual([expect.stringMatching(/ node-linux-\w+@24\.\d+\.\d+$/)]);
    expect(await exists(clone.path(".pulumi-local/bin/node"))).toBe(true);
  });

  test("that is just new enough is used", async () => {
    machine = await completeMachine();
    await machine.command("node", "echo v22.18.0");
    const clone = await machine.clone();

    expect((await clone.setup()).stdout).toContain("v22.18.0 (yours)");
  });

  test("is used again once the user has a newer one", async () => {
    machine = await completeMachine();
    await machine.command("node", "echo v20.0.0");
    await machine.command("npm", WORKING.npm);
    const clone = await machine.clone();
    await clone.setup();

    await machine.command("node", "echo v26.0.0");
    await clone.setup();

    expect(await exists(clone.path(".pulumi-local/bin/node"))).toBe(false);
  });
});

describe("node_modules", () => {
  test("follow package-lock.json, and are left alone while it is the same", async () => {
    machine = await completeMachine();
    await machine.command("npm", WORKING.npm);
    const clone = await machine.clone();
    await writeFile(clone.path("package-lock.json"), "{}");

    await clone.setup();
    await clone.setup();
    expect(await callsTo("npm")).toHaveLength(1);

    await writeFile(clone.path("package-lock.json"), '{ "lockfileVersion": 3 }');
    await clone.setup();
    expect(await callsTo("npm")).toHaveLength(2);
  });

  test("that were half installed are installed again", async () => {
    machine = await completeMachine();
    await machine.command("npm", "mkdir -p node_modules; echo npm error code ENOSPC >&2; exit 1");
    const clone = await machine.clone();
    await writeFile(clone.path("package-lock.json"), "{}");
    const { exitCode, stderr } = await clone.setup();
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^packages: npm ci failed \(ENOSPC\): see \S+\/packages\.log$/);

    await machine.command("npm", WORKING.npm);
    expect((await clone.setup()).exitCode).toBe(0);
    expect(await callsTo("npm")).toHaveLength(2);
  });
});

describe("the image", () => {
  test("is pulled where a registry has it", async () => {
    machine = await completeMachine();
    await machine.command(
      "docker",
      `case $1 in pull) echo "17: Pulling from library/postgres"; exit 0 ;; esac\n${WORKING.docker}`,
    );
    const clone = await machine.clone();

    const outcome = await clone.setup("--image", "postgres:16");

    expect(outcome).toMatchObject({ exitCode: 0, stderr: "" });
    expect(outcome.stdout).toContain("postgres:16, pulled");
    expect(await callsTo("rootfs")).toEqual([]);
  });

  test("has a stand-in where none does, which says so and is labelled so", async () => {
    machine = await completeMachine();
    await machine.command("debootstrap");
    const clone = await machine.clone();

    const outcome = await clone.setup("--image", "postgres:15", "--image", "postgres:18");

    expect(outcome).toMatchObject({ exitCode: 0, stderr: "" });
    expect(outcome.stdout).toMatch(/postgres:15, a stand-in from Debian packages/);
    expect(await callsTo("rootfs")).toEqual([
      expect.stringMatching(/^rootfs 15 bookworm /),
      expect.stringMatching(/^rootfs 18 forky /),
    ]);
    const builds = (await callsTo("docker")).filter((call) => call.startsWith("docker build"));
    expect(builds[0]).toContain(
      "DATA_DIRECTORY=/var/lib/postgresql/data --build-arg DATA_VOLUME=/var/lib/postgresql/data",
    );
    expect(builds[1]).toContain(
      "DATA_DIRECTORY=/var/lib/postgresql/18/docker --build-arg DATA_VOLUME=/var/lib/postgresql ",
    );
  });

  test("that is a stand-in is made anew from the cache when the engine has lost it", async () => {
    machine = await completeMachine();
    await machine.command("debootstrap");
    const clone = await machine.clone();
    await clone.setup("--image", "postgres:15");
    await rm(join(machine.folder, "images"), { recursive: true });
    await machine.forgetCalls();

    expect((await clone.setup("--image", "postgres:15")).exitCode).toBe(0);
    expect(await callsTo("rootfs", "debootstrap")).toEqual([]);
  });

  test("that is a stand-in is built anew when its recipe has changed, and the user's never", async () => {
    machine = await completeMachine();
    await machine.command("debootstrap");
    const clone = await machine.clone();
    await clone.setup("--image", "postgres:15", "--image", "postgres:17");
    await machine.forgetCalls();

    await writeFile(clone.path("images/postgres/docker-entrypoint.sh"), "#!/bin/sh\n");
    await clone.setup("--image", "postgres:15", "--image", "postgres:17");

    const builds = (await callsTo("docker")).filter((call) => call.startsWith("docker build"));
    expect(builds).toEqual([expect.stringContaining("--tag postgres:15 ")]);
    expect(await callsTo("rootfs")).toEqual([]);
  });

  test("is not waited for when the registry does not answer at all", async () => {
    machine = await completeMachine();
    await machine.command("debootstrap");
    await machine.command("docker", `case $1 in pull) exec tail -f /dev/null ;; esac\n${WORKING.docker}`);
    await machine.command("sleep");
    const clone = await machine.clone();

    expect((await clone.setup("--image", "postgres:15")).stdout).toContain("postgres:15, a stand-in");
  });
});
