import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { waitUntil } from "../../operations/wait-until.ts";

export interface SshDoorOptions {
  /** It is made. */
  readonly directory: string;
  /** A command with its arguments, which runs another one in the namespace of the host. */
  readonly inside: readonly string[];
  readonly address: string;
  /** Of the engine behind the door. */
  readonly socket: string;
}

/** A server of ssh on a host of a test, and the ssh of a user whom it lets in. */
export class SshDoor {
  /** Folder with an `ssh` that knows the key and the host: it has to be first on PATH. */
  readonly client: string;
  readonly #process: number;

  private constructor(client: string, process: number) {
    this.client = client;
    this.#process = process;
  }

  static async open({ directory, inside, address, socket }: SshDoorOptions): Promise<SshDoor> {
    const file = (name: string): string => join(directory, name);
    const client = file("client");
    await mkdir(client, { recursive: true });
    for (const key of ["host-key", "key"]) {
      await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file(key)]);
    }
    await writeFile(file("known-hosts"), `${address} ${await readFile(file("host-key.pub"), "utf8")}`);
    await writeFile(file("sshd_config"), lines(serverOptions(file, address, socket)));
    await writeFile(file("ssh_config"), lines(clientOptions(file)));
    const ssh = `#!/bin/sh\nexec ${await pathOf("ssh")} -F ${file("ssh_config")} "$@"\n`;
    await writeFile(join(client, "ssh"), ssh, { mode: 0o755 });
    // Where sshd is as long as nobody has proven who he is.
    await mkdir("/run/sshd", { recursive: true });
    const [command, ...args] = [...inside, await pathOf("sshd"), "-D", "-f", file("sshd_config")];
    const daemon = spawn(command, [...args, "-E", file("log")], { stdio: "ignore", detached: true });
    daemon.unref();
    const door = new SshDoor(client, daemon.pid ?? 0);
    await waitUntil({
      condition: `sshd at ${address} to let somebody in`,
      timeoutSeconds: 30,
      probe: async () =>
        (await execa(join(client, "ssh"), [`root@${address}`, "true"], { reject: false })).exitCode === 0 || undefined,
      seen: () => readFile(file("log"), "utf8"),
    });
    return door;
  }

  close(): void {
    process.kill(this.#process);
  }
}

type FileIn = (name: string) => string;

const serverOptions = (file: FileIn, address: string, socket: string): Record<string, string> => ({
  ListenAddress: address,
  HostKey: file("host-key"),
  PidFile: "none",
  AuthorizedKeysFile: file("key.pub"),
  // The keys are below /tmp, where others write too.
  StrictModes: "no",
  PasswordAuthentication: "no",
  KbdInteractiveAuthentication: "no",
  UsePAM: "no",
  // A host of its own has its engine at the default socket: this one shares the files of the machine of the test.
  SetEnv: `DOCKER_HOST=${socket}`,
  ClientAliveInterval: "2",
  ClientAliveCountMax: "2",
});

const clientOptions = (file: FileIn): Record<string, string> => ({
  IdentityFile: file("key"),
  IdentitiesOnly: "yes",
  UserKnownHostsFile: file("known-hosts"),
  StrictHostKeyChecking: "yes",
});

const lines = (options: Readonly<Record<string, string>>): string =>
  Object.entries(options)
    .map(([name, value]) => `${name} ${value}\n`)
    .join("");

/** sshd starts itself again for each connection, and has to be called by its whole path. */
async function pathOf(command: string): Promise<string> {
  return (await execa("which", [command])).stdout;
}
