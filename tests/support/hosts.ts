import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { waitUntil } from "../../operations/wait-until.ts";
import { newClientCertificates } from "./client-certificates.ts";
import { DelayLine } from "./delay-line.ts";
import { SshDoor } from "./ssh-door.ts";
import type { StackConfig } from "./stack.ts";

/** A host of a test, as a stack file has it. */
export interface HostEntry {
  readonly docker: string;
  readonly address: string;
  readonly certificates?: string;
}

/**
 * Several Docker hosts on one machine. The first is the machine itself, by the socket of its engine; each other is a
 * network namespace with an engine of its own, reached by TCP with TLS, or by ssh. A bridge joins them.
 */
export class TestHosts {
  readonly entries: Readonly<Record<string, HostEntry>>;
  /** Where the machine of the test comes from, and the first host is. */
  readonly address: string;
  readonly #directory: string;
  readonly #bridge: string;
  readonly #lines = new Map<string, DelayLine>();
  #door: { readonly ssh: SshDoor; readonly pathBefore: string } | undefined;

  private constructor(directory: string, bridge: string, address: string, entries: Record<string, HostEntry>) {
    this.#directory = directory;
    this.#bridge = bridge;
    this.address = address;
    this.entries = entries;
  }

  /** @param names The first is this machine. @param behindSsh One of the others: `ssh` on PATH leads there until the end. */
  static async create([first = "", ...others]: readonly string[], behindSsh?: string): Promise<TestHosts> {
    const directory = await mkdtemp(join(tmpdir(), "pg-topology-hosts-"));
    const number = randomInt(1, 255);
    const bridge = `pgt${number}`;
    const address = `10.98.${number}.1`;
    const entries: Record<string, HostEntry> = { [first]: { docker: "unix:///var/run/docker.sock", address } };
    const hosts = new TestHosts(directory, bridge, address, entries);
    try {
      await asRoot("ip", "link", "add", bridge, "type", "bridge");
      await asRoot("ip", "address", "add", `${address}/24`, "dev", bridge);
      await asRoot("ip", "link", "set", bridge, "up");
      // What goes over a bridge is forwarded too where Docker has switched that on, and Docker forwards nothing else.
      await asRoot("iptables", "-I", "FORWARD", "-i", bridge, "-j", "ACCEPT");
      await asRoot("iptables", "-I", "FORWARD", "-o", bridge, "-j", "ACCEPT");
      await Promise.all(
        others.map(async (name, index) => {
          const own = `10.98.${number}.${11 + index}`;
          const certificates = await hosts.#start(name, own, index);
          entries[name] = { docker: `tcp://${own}:2376`, address: own, certificates };
        }),
      );
      if (behindSsh !== undefined) entries[behindSsh] = await hosts.#openDoor(behindSsh);
      return hosts;
    } catch (error) {
      await hosts.dispose();
      throw error;
    }
  }

  /** What a stack file says to put each node on its host, by name, where all listen at the same port. */
  placing(nodes: Readonly<Record<string, string>>, port: number): StackConfig {
    return { hosts: this.entries, nodes: Object.entries(nodes).map(([name, host]) => ({ name, host, port })) };
  }

  /** Runs docker against the engine of a host. */
  async docker(name: string, args: readonly string[], input: string = ""): Promise<string> {
    const { stdout } = await execa("docker", args, { input, env: { DOCKER_HOST: this.#socket(name) } });
    return stdout;
  }

  /** psql as the superuser, in a container on a host. */
  psql(name: string, container: string, sql: string): Promise<string> {
    const command = ["exec", "-i", "-u", "postgres", container, "psql", "-XAtq", "-v", "ON_ERROR_STOP=1"];
    return this.docker(name, command, sql);
  }

  /** Nothing goes to the host or comes from it any more. */
  async cut(name: string): Promise<void> {
    await asRoot("ip", "link", "set", this.#link(name), "down");
  }

  /** What comes from the host is lost; what goes to it arrives. */
  mute = (name: string): Promise<void> => this.#drop("-I", name, FROM_THE_HOST);

  /** What goes to the host is lost; what comes from it arrives. */
  deafen = (name: string): Promise<void> => this.#drop("-I", name, TO_THE_HOST);

  /** What goes to the host from this machine is lost: the other hosts reach it. */
  hide = (name: string): Promise<void> => this.#drop("-I", name, this.#fromHere());

  #fromHere(): Rule {
    return { chain: "INPUT", matching: ["-s", this.address] };
  }

  /** Whatever was done to its link. */
  async heal(name: string): Promise<void> {
    await asRoot("ip", "link", "set", this.#link(name), "up");
    await this.#shorten(name);
    for (const rule of [FROM_THE_HOST, TO_THE_HOST, this.#fromHere()]) {
      await this.#drop("-D", name, rule).catch(() => undefined);
    }
  }

  async #drop(action: "-I" | "-D", name: string, { chain, matching }: Rule): Promise<void> {
    for (const hook of [chain, "FORWARD"]) {
      await asRoot("nsenter", ...this.#inside(name), "iptables", "-w", action, hook, ...matching, "-j", "DROP");
    }
  }

  /** What goes to the host, and what comes from it, arrives later, or is lost. */
  async stretch(name: string, line: { readonly milliseconds: number; readonly lostPercent: number }): Promise<void> {
    await this.#shorten(name);
    this.#lines.set(name, await DelayLine.open({ link: this.#link(name), bridge: this.#bridge, ...line }));
  }

  async #shorten(name: string): Promise<void> {
    await this.#lines.get(name)?.close();
    this.#lines.delete(name);
  }

  /**
   * Writes numbered rows on a host, by the socket of the server in a container, until it takes no more.
   * @returns the moments at which they were acknowledged, in milliseconds since 1970, in the order of their numbers.
   */
  async writeUntilRefused(name: string, container: string, table: string): Promise<number[]> {
    const row = `psql -XAtq -d postgres -c "INSERT INTO ${table} VALUES ($n)" && date +%s%3N`;
    const loop = `n=0; while n=$((n + 1)); ${row}; do sleep 0.02; done`;
    const command = ["exec", "-u", "postgres", container, "bash", "-c", loop];
    const options = { env: { DOCKER_HOST: this.#socket(name) }, reject: false };
    const { stdout } = await execa("docker", command, options);
    return stdout.split("\n").flatMap((line) => (/^\d+$/.test(line) ? [Number(line)] : []));
  }

  async dispose(): Promise<void> {
    if (this.#door !== undefined) {
      this.#door.ssh.close();
      process.env["PATH"] = this.#door.pathBefore;
    }
    await Promise.all([...this.#lines.keys()].map((name) => this.#shorten(name)));
    const namespaces = Object.keys(this.entries).slice(1);
    await Promise.all(
      namespaces.map(async (name) => {
        await this.#stop(name);
        await asRoot("ip", "netns", "delete", this.#link(name)).catch(() => undefined);
      }),
    );
    await asRoot("iptables", "-D", "FORWARD", "-i", this.#bridge, "-j", "ACCEPT").catch(() => undefined);
    await asRoot("iptables", "-D", "FORWARD", "-o", this.#bridge, "-j", "ACCEPT").catch(() => undefined);
    await asRoot("ip", "link", "delete", this.#bridge).catch(() => undefined);
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #start(name: string, address: string, index: number): Promise<string> {
    const link = this.#link(name);
    await asRoot("ip", "netns", "add", link);
    await asRoot("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", link);
    await asRoot("ip", "link", "set", link, "master", this.#bridge, "up");
    const inside = (...args: string[]): Promise<void> => asRoot("ip", "-n", link, ...args);
    await inside("link", "set", "lo", "up");
    await inside("address", "add", `${address}/24`, "dev", "eth0");
    await inside("link", "set", "eth0", "up");
    await inside("route", "add", "default", "via", this.address);
    const directory = join(this.#directory, name);
    await mkdir(directory);
    const certificates = await newClientCertificates(directory, address);
    const tls = [
      "--tlsverify",
      "--tlscacert",
      certificates.ca,
      "--tlscert",
      certificates.cert,
      "--tlskey",
      certificates.key,
    ];
    const log = openSync(join(directory, "log"), "a");
    const engine = spawn(
      "nsenter",
      [
        ...[...this.#inside(name), "dockerd", "--data-root", join(directory, "data")],
        ...["--exec-root", join(directory, "exec"), "--pidfile", this.#pidFile(name)],
        ...["--host", this.#socket(name), "--host", `tcp://${address}:2376`, ...tls],
        ...["--bip", `192.168.${101 + index}.1/24`],
      ],
      { stdio: ["ignore", log, log], detached: true },
    );
    engine.unref();
    closeSync(log);
    await waitUntil({
      condition: `the engine of ${name} to answer`,
      timeoutSeconds: 60,
      probe: async () => (await this.docker(name, ["version"]).catch(() => undefined)) !== undefined || undefined,
      seen: async () => (await readFile(join(directory, "log"), "utf8")).slice(-1000),
    });
    return certificates.client;
  }

  async #openDoor(name: string): Promise<HostEntry> {
    const address = this.entries[name]?.address ?? "";
    const directory = join(this.#directory, `${name}-ssh`);
    const inside = ["nsenter", ...this.#inside(name)];
    const ssh = await SshDoor.open({ directory, inside, address, socket: this.#socket(name) });
    const pathBefore = process.env["PATH"] ?? "";
    this.#door = { ssh, pathBefore };
    process.env["PATH"] = `${ssh.client}${delimiter}${pathBefore}`;
    return { docker: `ssh://root@${address}`, address };
  }

  async #stop(name: string): Promise<void> {
    const pid = Number(await readFile(this.#pidFile(name), "utf8").catch(() => ""));
    if (pid === 0) return;
    process.kill(pid);
    await waitUntil({
      condition: `the engine of ${name} to end`,
      timeoutSeconds: 60,
      probe: async () =>
        (await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined)) === undefined || undefined,
      seen: () => `process ${pid} is there`,
    });
  }

  #link = (name: string): string => `${this.#bridge}-${name}`;
  /** Arguments of nsenter. */
  #inside = (name: string): string[] => [`--net=/run/netns/${this.#link(name)}`];
  #pidFile = (name: string): string => join(this.#directory, name, "pid");
  #socket = (name: string): string =>
    name in this.entries && this.entries[name]?.docker.startsWith("unix:")
      ? this.entries[name].docker
      : `unix://${join(this.#directory, name, "docker.sock")}`;
}

/** Of iptables, in the host's own network namespace; what containers send and get is forwarded there. */
interface Rule {
  readonly chain: "INPUT" | "OUTPUT";
  readonly matching: readonly string[];
}

const FROM_THE_HOST: Rule = { chain: "OUTPUT", matching: ["-o", "eth0"] };
const TO_THE_HOST: Rule = { chain: "INPUT", matching: ["-i", "eth0"] };

async function asRoot(command: string, ...args: string[]): Promise<void> {
  await execa(command, args);
}
