import { mkdtemp, readFile, readdir, rm, symlink } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { runCommand } from "../support/commands.ts";
import { shellIn } from "../support/containers.ts";
import { Evidence, watchContainers, watching } from "../support/evidence.ts";
import { freePorts } from "../support/ports.ts";
import { PROJECT_DIRECTORY } from "../support/project.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";
import { WORLD } from "../support/world.ts";

const NODES = ["node-1", "node-2"] as const;
const CHOSEN = { owner: "Canary.of.the.owner/1", replication: "Canary.of.replication/2" };
/** They have roles of their own, with passwords that nobody chooses. */
const BESIDE = WORLD ? { backup: { enabled: true }, drill: { enabled: true }, monitoring: { enabled: true } } : {};
const LATER = { owner: "Canary.of.the.owner/3", replication: CHOSEN.replication };

let stack: TestStack;
let config: StackConfig;
let pulumiHome: string;
const evidence = new Evidence();
/** By name; the names are what a failed test shows. */
const secrets = new Map<string, string>();

beforeAll(async () => {
  pulumiHome = await ownPulumiHome();
  const ports = await freePorts(NODES.length);
  config = {
    primary: "node-1",
    nodes: NODES.map((name, index) => ({ name, port: ports[index] })),
    // The worst that an operator can do to secrets.
    parameters: { log_statement: "all", log_min_duration_statement: 0, log_min_error_statement: "debug5" },
    ...BESIDE,
  };
  stack = await TestStack.create(config);
  await choosePasswords(CHOSEN);
  await seen("pulumi up --diff", ["up", "--yes", "--diff"]);

  await choosePasswords(LATER);
  await seen("pulumi preview --json", ["preview", "--json"]);
  // What it says ends with the last lines of a log that has every statement.
  await stack.setConfig("parameters.shared_preload_libraries", "no_such_library");
  const failed = await seen("a failing pulumi up", ["up", "--yes", "--skip-preview"]);
  expect(failed.exitCode).not.toBe(0);
  expect(failed.output).toContain('could not access file "no_such_library"');

  await choosePasswords(LATER);
  await seen("pulumi up --json", ["up", "--yes", "--skip-preview", "--json"]);
  await seen("pulumi up --debug", ["up", "--yes", "--skip-preview", "--debug"]);
  await seen("pulumi refresh", ["refresh", "--yes", "--diff"]);
  evidence.add("pulumi stack", await stackCommand("--show-urns", "--show-ids"));
  evidence.add("pulumi stack output", await stackCommand("output"));
  evidence.add("pulumi stack export", await stackCommand("export"));
  await seen("pulumi config", ["config"]);

  if (WORLD) {
    for (const words of [["check"], ["list"], ["show", "latest"]])
      evidence.add(`npm run backup -- ${words.join(" ")}`, (await runCommand(stack, "backup", ...words)).output);
    evidence.add("npm run restore", (await runCommand(stack, "restore", "--latest")).output);
  }
  await watchContainers(stack, evidence);
  await lookAtVolumesAndNetworks();
  await lookAtFiles("the backend", stack.directory);
  await lookAtFiles("the files for clients", join(PROJECT_DIRECTORY, ".pg-topology", stack.name));
  await lookAtFiles("the logs of the CLI", join(pulumiHome, "logs"));
  await collectSecrets();
}, 600_000);
afterAll(async () => {
  await stack.dispose();
  await rm(pulumiHome, { recursive: true });
});

test("there is something to search in, and something to search for", () => {
  expect([...secrets.keys()].toSorted()).toEqual([
    "a SCRAM verifier",
    "the first password of the owner",
    ...(WORLD ? ["the password of backup-barman-password", "the password of backup-streaming-password"] : []),
    "the password of credentials-operator-password",
    ...(WORLD ? ["the password of monitoring-password"] : []),
    "the password of replication",
    "the private key of credentials-authority",
    "the private key of node-1-certificate",
    "the private key of node-2-certificate",
    "the second password of the owner",
  ]);
  expect(evidence.places).toEqual(
    expect.arrayContaining([
      "a command line",
      "the environment of a process",
      `docker inspect of /${stack.container("node-1")}`,
      `docker inspect of /${stack.container("node-1")}.initdb`,
      `docker inspect of /${stack.container("node-2")}.base-backup`,
      `docker logs of /${stack.container("node-1")}`,
      "the backend",
      "the files for clients",
      "the logs of the CLI",
    ]),
  );
  // What is searched for is found where it is known to be.
  expect(evidence.placesOf("-----BEGIN CERTIFICATE-----")).toContain("pulumi stack export");
});

test("no secret is seen by anybody", () => {
  const found = [...secrets].map(([name, secret]) => [name, evidence.placesOf(secret)] as const);
  expect(found.filter(([, places]) => places.length > 0)).toEqual([]);
});

describe("on the servers", () => {
  test.each(NODES)("the files of %s hold the secrets that they must, and no others do", async (node) => {
    const replication = await filesWith(node, "the password of replication");
    expect(replication).toEqual(["/etc/pg-topology/passfile"]);
    expect(await filesWith(node, `the private key of ${node}-certificate`)).toEqual([
      "/etc/pg-topology/tls/server.key",
    ]);
    for (const secret of ["the second password of the owner", "the password of credentials-operator-password"]) {
      expect(await filesWith(node, secret)).toEqual([]);
    }
  });
});

/** With the plugins of the one that is used otherwise, and a log of every call, which not every set-up keeps. */
async function ownPulumiHome(): Promise<string> {
  const used = process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi");
  const home = await mkdtemp(join(tmpdir(), "pg-topology-pulumi-home-"));
  await symlink(join(used, "plugins"), join(home, "plugins"));
  vi.stubEnv("PULUMI_HOME", home);
  return home;
}

/** By standard input, and encrypted in the stack file. */
async function choosePasswords(passwords: Readonly<Record<string, string>>): Promise<void> {
  await stack.configure(config);
  for (const [name, password] of Object.entries(passwords)) {
    const set = ["config", "set", "--secret", "--path", `passwords.${name}`];
    const { exitCode, output } = await stack.pulumi(set, { input: password });
    expect(exitCode, output).toBe(0);
  }
}

async function seen(where: string, args: readonly string[]): Promise<{ exitCode: number; output: string }> {
  const result = await watching(stack, evidence, stack.pulumi(args));
  evidence.add(where, result.output);
  return result;
}

/** These commands know no --config-file. */
async function stackCommand(...args: string[]): Promise<string> {
  const command = ["stack", ...args, "--stack", stack.name];
  const { stdout } = await execa("pulumi", command, { cwd: PROJECT_DIRECTORY, env: stack.environment });
  return stdout;
}

async function lookAtVolumesAndNetworks(): Promise<void> {
  const docker = new Docker();
  const filters = { label: Object.entries(stack.labels).map(([key, value]) => `${key}=${value}`) };
  evidence.add("docker volume inspect", JSON.stringify(await docker.listVolumes({ filters })));
  evidence.add("docker network inspect", JSON.stringify(await docker.listNetworks({ filters })));
}

async function lookAtFiles(where: string, folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((candidate) => candidate.isFile())) {
    evidence.add(where, await readFile(join(entry.parentPath, entry.name), "latin1"));
  }
}

interface State {
  readonly deployment: { readonly resources: readonly { urn: string; outputs?: Record<string, unknown> }[] };
}

async function collectSecrets(): Promise<void> {
  secrets.set("the first password of the owner", CHOSEN.owner);
  secrets.set("the second password of the owner", LATER.owner);
  secrets.set("the password of replication", CHOSEN.replication);
  secrets.set("a SCRAM verifier", "SCRAM-SHA-256$4096:");
  const state = JSON.parse(await stackCommand("export", "--show-secrets")) as State;
  for (const { urn, outputs = {} } of state.deployment.resources) {
    const name = urn.split("::").at(-1) ?? urn;
    if (name.endsWith("-password")) secrets.set(`the password of ${name}`, plaintext(outputs["value"]));
    if (outputs["privateKeyPem"] === undefined) continue;
    // The line of a PEM file with the key itself: the others are the same in every key.
    secrets.set(`the private key of ${name}`, plaintext(outputs["privateKeyPem"]).split("\n")[2] ?? "");
  }
}

const plaintext = (secret: unknown): string => JSON.parse((secret as { plaintext: string }).plaintext) as string;

/** Files of a node with a text in them, in all that its server has mounted. */
async function filesWith(node: string, secret: string): Promise<string[]> {
  const text = secrets.get(secret) ?? "";
  expect(text).not.toBe("");
  const search = `grep -rlaF -- '${text}' /etc/pg-topology /var/lib/postgresql /docker-entrypoint-initdb.d /tmp || true`;
  const found = await shellIn(stack.container(node), search);
  return found.split("\n").filter((line) => line !== "");
}
