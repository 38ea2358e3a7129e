/** toolchain/run: which tools a command gets, and that a user's choice of a Pulumi backend is always respected. */
import { chmod, cp, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { completeMachine, exists, offlineMachine, type Clone, type Machine } from "./support/machine.ts";

let machine: Machine;
let clone: Clone;

beforeEach(async () => {
  machine = await completeMachine();
  clone = await machine.clone();
  await clone.setup();
});

afterEach(() => machine.remove());

/** The environment in which toolchain/run runs its command. */
async function environmentWith(own: Record<string, string> = {}): Promise<Map<string, string>> {
  const { stdout } = await clone.run(["env"], own);
  return new Map(stdout.split("\n").map((line) => [line.split("=", 1)[0] ?? "", line.slice(line.indexOf("=") + 1)]));
}

async function write(file: string, content: string): Promise<void> {
  await mkdir(join(file, ".."), { recursive: true });
  await writeFile(file, content);
}

test("the command gets its arguments as they are, and its exit code is passed on", async () => {
  const outcome = await clone.run(["bash", "-c", 'printf "%s|" "$@"; exit 7', "bash", "two words", "*"]);

  expect(outcome).toMatchObject({ exitCode: 7, stdout: "two words|*|", stderr: "" });
});

test("it runs the command itself, so that a signal reaches it", async () => {
  const { stdout } = await clone.run(["bash", "-c", "cat /proc/$$/comm; echo $PPID"]);

  expect(stdout.split("\n")).toEqual(["bash", String(process.pid)]);
});

describe("where set-up was not run, it says so in a sentence", () => {
  test("on a fresh clone", async () => {
    const fresh = await machine.clone("fresh");

    expect(await fresh.run(["true"])).toMatchObject({
      exitCode: 1,
      stderr: "toolchain/run: the tools are not set up yet: run toolchain/setup first.",
    });
  });

  test("when the cache is gone", async () => {
    await machine.remove();
    machine = await offlineMachine();
    clone = await machine.clone();
    await clone.setup();
    await rm(machine.cache, { recursive: true });

    const { exitCode, stderr } = await clone.run(["true"]);

    expect(exitCode).toBe(1);
    expect(stderr).toContain("run toolchain/setup");
  });
});

describe("the tools", () => {
  test("come before whatever npm has put on PATH", async () => {
    const bin = clone.path("node_modules/.bin");
    await write(join(bin, "pulumi"), "#!/bin/sh\necho shim\n");
    await chmod(join(bin, "pulumi"), 0o755);

    const { stdout } = await clone.run(["pulumi", "version"], {
      PATH: `${bin}:${machine.environment()["PATH"] ?? ""}`,
    });

    expect(stdout).toBe("v3.259.0");
  });

  test("of the user come with the user's PULUMI_HOME", async () => {
    const own = await environmentWith({ PULUMI_HOME: "/somewhere" });

    expect(own.get("PULUMI_HOME")).toBe("/somewhere");
    expect(own.has("PULUMI_CREDENTIALS_PATH")).toBe(false);
    expect(own.has("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION")).toBe(false);
  });

  test("that were built come with a PULUMI_HOME of their own, and the user's login", async () => {
    await machine.remove();
    machine = await offlineMachine();
    clone = await machine.clone();
    await clone.setup();

    const built = await environmentWith();

    expect(await exists(join(built.get("PULUMI_HOME") ?? "", "plugins/resource-docker-v5.2.0"))).toBe(true);
    expect(built.get("PULUMI_CREDENTIALS_PATH")).toBe(join(machine.home, ".pulumi"));
    expect(built.get("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION")).toBe("true");
  });

  test("keep compiled JavaScript in the cache, unless the user has another place for it", async () => {
    expect((await environmentWith()).get("NODE_COMPILE_CACHE")).toBe(join(machine.cache, "node-compile-cache"));
    expect((await environmentWith({ NODE_COMPILE_CACHE: "/elsewhere" })).get("NODE_COMPILE_CACHE")).toBe("/elsewhere");
  });
});

describe("where the user has chosen no backend", () => {
  test("state and passphrase are in an ignored folder of the clone, the passphrase for its owner only", async () => {
    const local = await environmentWith();

    expect(local.get("PULUMI_BACKEND_URL")).toBe(`file://${clone.path(".pulumi-local/state")}?metadata=skip`);
    expect(await exists(clone.path(".pulumi-local/state"))).toBe(true);
    const passphrase = local.get("PULUMI_CONFIG_PASSPHRASE_FILE") ?? "";
    expect(passphrase).toBe(clone.path(".pulumi-local/passphrase"));
    expect((await stat(passphrase)).mode & 0o777).toBe(0o600);
    expect(await readFile(passphrase, "utf8")).toMatch(/^[\w+/]{32}\n$/);
  });

  test("the passphrase stays the same, and another clone has another", async () => {
    const passphrase = () => readFile(clone.path(".pulumi-local/passphrase"), "utf8");
    await Promise.all([clone.run(["true"]), clone.run(["true"]), clone.run(["true"])]);
    const first = await passphrase();
    await clone.run(["true"]);
    expect(await passphrase()).toBe(first);

    clone = await machine.clone("other");
    await clone.setup();
    await clone.run(["true"]);
    expect(await passphrase()).not.toBe(first);
  });

  test.each([
    ["PULUMI_CONFIG_PASSPHRASE", "secret"],
    ["PULUMI_CONFIG_PASSPHRASE", ""],
    ["PULUMI_CONFIG_PASSPHRASE_FILE", "/etc/passphrase"],
  ])("the user's own passphrase counts: %s=%s", async (name, value) => {
    const own = await environmentWith({ [name]: value });

    expect(own.get(name)).toBe(value);
    expect([...own.keys()].filter((key) => key.startsWith("PULUMI_CONFIG_PASSPHRASE"))).toEqual([name]);
    expect(await exists(clone.path(".pulumi-local/passphrase"))).toBe(false);
  });

  test("a former login that was ended is no choice", async () => {
    await write(join(machine.home, ".pulumi/credentials.json"), '{ "accessTokens": {}, "accounts": {} }');

    expect((await environmentWith()).get("PULUMI_BACKEND_URL")).toMatch(/^file:/);
  });
});

describe("the user's choice of a backend is respected", () => {
  const CURRENT = '{\n    "current": "https://api.pulumi.com"\n}';

  test.each<[string, () => Promise<Record<string, string>>]>([
    ["PULUMI_BACKEND_URL", async () => ({ PULUMI_BACKEND_URL: "s3://state" })],
    ["PULUMI_ACCESS_TOKEN", async () => ({ PULUMI_ACCESS_TOKEN: "pul-123" })],
    [
      "a login in ~/.pulumi",
      async () => {
        await write(join(machine.home, ".pulumi/credentials.json"), CURRENT);
        return {};
      },
    ],
    [
      "a login in PULUMI_HOME",
      async () => {
        await write(join(machine.folder, "pulumi-home/credentials.json"), CURRENT);
        return { PULUMI_HOME: join(machine.folder, "pulumi-home") };
      },
    ],
    [
      "a login in PULUMI_CREDENTIALS_PATH",
      async () => {
        await write(join(machine.folder, "credentials/credentials.json"), CURRENT);
        return { PULUMI_CREDENTIALS_PATH: join(machine.folder, "credentials") };
      },
    ],
    [
      "a login that the CLI keeps encrypted",
      async () => {
        const content = '{"$pulumiSecureStore":1,"backend":"tpm","algo":"a","nonce":"b","data":"c"}';
        await write(join(machine.home, ".pulumi/credentials.json"), content);
        return {};
      },
    ],
    [
      "a backend in Pulumi.yaml",
      async () => {
        await writeFile(clone.path("Pulumi.yaml"), "name: pg-topology\nbackend:\n  url: gs://state\nruntime: nodejs\n");
        return {};
      },
    ],
  ])("%s", async (_way, choose) => {
    const chosen = await choose();

    const environment = await environmentWith(chosen);

    expect(environment.get("PULUMI_BACKEND_URL")).toBe(chosen["PULUMI_BACKEND_URL"]);
    expect(environment.has("PULUMI_CONFIG_PASSPHRASE_FILE")).toBe(false);
    expect(await exists(clone.path(".pulumi-local/state"))).toBe(false);
    expect(await exists(clone.path(".pulumi-local/passphrase"))).toBe(false);
  });

  test("a Pulumi.yaml that only speaks of backends chooses none", async () => {
    await writeFile(clone.path("Pulumi.yaml"), "name: x\n# backend: none\nconfig:\n  backend:\n    type: string\n");

    expect((await environmentWith()).get("PULUMI_BACKEND_URL")).toMatch(/^file:/);
  });
});

describe("locks in the local backend", () => {
  const lockFile = () => clone.path(".pulumi-local/state/.pulumi/locks/organization/pg-topology/dev/1234.json");

  async function lockBy(pid: number | undefined, host = hostname()): Promise<void> {
    await write(
      lockFile(),
      JSON.stringify({ pid, username: "root", hostname: host, timestamp: "2026-11-21T10:00:00Z" }),
    );
  }

  /** A running program with the CLI's name. */
  async function runningPulumi(name: string): Promise<{ pid: number | undefined; end: () => void }> {
    const file = join(machine.folder, name);
    await cp("/bin/sleep", file);
    const running = execa(file, ["60"], { reject: false });
    return { pid: running.pid, end: () => void running.kill() };
  }

  test("of a CLI that was killed is removed, and that is said", async () => {
    const gone = execa("true");
    await gone;
    await lockBy(gone.pid);

    const { exitCode, stderr } = await clone.run(["true"]);

    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: "toolchain/run: removed a lock that a killed Pulumi left behind (1234.json).",
    });
    expect(await exists(lockFile())).toBe(false);
  });

  test("of a CLI that runs stays", async () => {
    const pulumi = await runningPulumi("pulumi");
    await lockBy(pulumi.pid);

    const { stderr } = await clone.run(["true"]);
    pulumi.end();

    expect(stderr).toBe("");
    expect(await exists(lockFile())).toBe(true);
  });

  test("whose process id belongs to another program by now is removed", async () => {
    const other = await runningPulumi("firefox");
    await lockBy(other.pid);

    await clone.run(["true"]);
    other.end();

    expect(await exists(lockFile())).toBe(false);
  });

  test("of another host stays: its processes cannot be seen from here", async () => {
    await lockBy(999_999_999, "another-host");

    await clone.run(["true"]);

    expect(await exists(lockFile())).toBe(true);
  });

  test("in a backend of the user's stays", async () => {
    await lockBy(999_999_999);

    await clone.run(["true"], { PULUMI_BACKEND_URL: `file://${clone.path(".pulumi-local/state")}` });

    expect(await exists(lockFile())).toBe(true);
  });
});
