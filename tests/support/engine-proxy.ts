import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The socket of the engine that the tests use; they use one on this machine. */
const ENGINE_SOCKET = (process.env["DOCKER_HOST"] ?? "unix:///var/run/docker.sock").replace(/^unix:\/\//, "");

/** Another address of the real engine, which can be taken away without taking the engine away from other tests. */
export class EngineProxy {
  readonly dockerHost: string;
  readonly #directory: string;
  readonly #server: Server;
  readonly #connections = new Set<Socket>();

  private constructor(directory: string) {
    this.#directory = directory;
    this.dockerHost = `unix://${join(directory, "docker.sock")}`;
    this.#server = createServer({ allowHalfOpen: true }, (client) => {
      const engine = createConnection({ path: ENGINE_SOCKET, allowHalfOpen: true });
      this.#keep(client);
      this.#keep(engine);
      client.pipe(engine);
      engine.pipe(client);
    });
  }

  static async start(): Promise<EngineProxy> {
    const proxy = new EngineProxy(await mkdtemp(join(tmpdir(), "pg-topology-engine-")));
    await proxy.appear();
    return proxy;
  }

  async appear(): Promise<void> {
    const socket = join(this.#directory, "docker.sock");
    await new Promise<void>((resolve) => this.#server.listen(socket, resolve));
    await chmod(socket, 0o600);
  }

  /** As when the engine's process ends: every connection breaks, and no new one is to be had. */
  async vanish(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }

  async dispose(): Promise<void> {
    if (this.#server.listening) await this.vanish();
    await rm(this.#directory, { recursive: true, force: true });
  }

  #keep(connection: Socket): void {
    this.#connections.add(connection);
    connection.on("error", () => undefined);
    connection.on("close", () => this.#connections.delete(connection));
  }
}
