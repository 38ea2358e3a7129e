import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { Agent } from "node:http";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { IDLE_MILLISECONDS } from "./engine-agent.ts";

const CONNECT_TIMEOUT_SECONDS = 5;
/** So long the connection stays for the next request. */
const PERSIST_SECONDS = 30;

/**
 * Carries requests to an engine as Docker's own client does: by `ssh HOST docker system dial-stdio`. It is the user's ssh,
 * with their configuration, keys, agent and jump hosts. All requests share one connection, and one that is over leaves its
 * ssh to the next.
 */
export class SshAgent extends Agent {
  readonly #args: readonly string[];

  constructor({ hostname, username, port }: URL) {
    super({ keepAlive: true, scheduling: "lifo" });
    this.#args = [
      ...["-o", "BatchMode=yes", "-o", `ConnectTimeout=${CONNECT_TIMEOUT_SECONDS}`],
      ...["-o", "ControlMaster=auto", "-o", `ControlPath=${controlDirectory()}/%C`],
      ...["-o", `ControlPersist=${PERSIST_SECONDS}`, "-o", "ServerAliveInterval=2", "-o", "ServerAliveCountMax=2"],
      ...(username === "" ? [] : ["-l", username]),
      ...(port === "" ? [] : ["-p", port]),
      ...["--", hostname, "docker", "system", "dial-stdio"],
    ];
  }

  override createConnection(): Duplex {
    return sshStream(this.#args);
  }

  /** What the agent does by itself is for sockets. @returns whether the connection is kept. */
  override keepSocketAlive(stream: Duplex): boolean {
    stream.emit("rest");
    return true;
  }

  override reuseSocket(stream: Duplex): void {
    stream.emit("work");
  }
}

/** What ssh carries; where it fails, its own words are the error. */
function sshStream(args: readonly string[]): Duplex {
  const ssh = spawn("ssh", args, { stdio: ["pipe", "pipe", "pipe"] });
  const stream = new Duplex({
    read: () => void ssh.stdout.resume(),
    write: (chunk: Buffer, _encoding, done) => void ssh.stdin.write(chunk, done),
    final: (done) => void ssh.stdin.end(done),
  });
  let said = "";
  ssh.stderr.on("data", (chunk: Buffer) => (said += chunk.toString("utf8")));
  ssh.stdout.on("data", (chunk: Buffer) => {
    if (!stream.push(chunk)) ssh.stdout.pause();
  });
  // A write to an ssh that has ended fails too, and tells less.
  ssh.stdin.on("error", () => undefined);
  ssh.once("error", (error) => stream.destroy(error));
  void Promise.all([once(ssh, "exit"), once(ssh.stdout, "end")]).then(
    ([[code]]) => {
      if (code === 0) stream.push(null);
      else stream.destroy(new Error(`ssh: ${said.trim() || `it ended with exit code ${code}`}`));
    },
    () => undefined,
  );
  stream.once("close", () => ssh.kill());
  // Pipes are sockets, which their types do not say.
  restful(stream, [ssh, ssh.stdin, ssh.stdout, ssh.stderr] as unknown as Holding[]);
  return stream;
}

interface Holding {
  ref(): void;
  unref(): void;
}

/** While it rests it holds nobody up, and after a while it ends. @param holds What keeps this program from its end. */
function restful(stream: Duplex, holds: readonly Holding[]): void {
  let end: NodeJS.Timeout | undefined;
  stream.on("rest", () => {
    for (const one of holds) one.unref();
    end = setTimeout(() => stream.destroy(), IDLE_MILLISECONDS).unref();
  });
  stream.on("work", () => {
    clearTimeout(end);
    for (const one of holds) one.ref();
  });
}

/** Sockets of the shared connections: nobody else may get at them. Their paths must be short. */
function controlDirectory(): string {
  const directory = join(tmpdir(), `pg-topology-ssh-${userInfo().uid}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return directory;
}
