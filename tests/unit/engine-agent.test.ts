import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Server as Listener } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { isReachable } from "../../operations/engine.ts";

let engine: Server;
let connections: number;
let isSilent: boolean;

beforeEach(async () => {
  [connections, isSilent] = [0, false];
  engine = createServer((_request, response) => {
    if (!isSilent) response.end("OK");
  });
  engine.on("connection", () => (connections += 1));
  await once(engine.listen(0, "127.0.0.1"), "listening");
});
afterEach(() => {
  engine.closeAllConnections();
  engine.close();
});

const port = (): number => (engine.address() as AddressInfo).port;
const hostNamed = (name: string, docker = `tcp://127.0.0.1:${port()}`) => ({
  host: { name, docker, address: "127.0.0.1" },
});

describe.each(["tcp", "ssh"] as const)("over %s", (way) => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "pg-topology-ssh-"));
    const carry = `const { connect } = require("node:net");
      const engine = connect(${port()}, "127.0.0.1");
      process.stdin.pipe(engine).pipe(process.stdout);`;
    await writeFile(join(directory, "ssh"), `#!${process.execPath}\n${carry}\n`, { mode: 0o755 });
    vi.stubEnv("PATH", `${directory}${delimiter}${process.env["PATH"]}`);
  });
  afterEach(() => rm(directory, { recursive: true }));

  const hostOf = (name: string) => hostNamed(name, way === "ssh" ? `ssh://${name}` : undefined);

  test("requests that follow each other share a connection, and one that comes late has a new one", async () => {
    const on = hostOf(`shared-${way}`);
    for (let n = 0; n < 3; n += 1) expect(await isReachable(on)).toBe(true);
    expect(connections).toBe(1);
    await sleep(2500);
    expect(await isReachable(on)).toBe(true);
    expect(connections).toBe(2);
  });

  test("a connection that is kept does not keep the program", async () => {
    const program = `const { isReachable } = await import(${JSON.stringify(MODULE)});
      console.log(await isReachable(${JSON.stringify(hostOf("brief"))}));
      const answeredAt = performance.now();
      process.on("exit", () => console.log(performance.now() - answeredAt < 1000));`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program]);
    expect(stdout).toBe("true\ntrue\n");
  });
});

const MODULE = join(import.meta.dirname, "../../operations/engine.ts");

describe("a request on a kept connection that is not answered", () => {
  test("is given up once nobody is there any more", async () => {
    const on = hostNamed("gone");
    expect(await isReachable(on)).toBe(true);
    isSilent = true;
    // Without the connections that rest.
    Listener.prototype.close.call(engine);
    const askedAt = performance.now();
    expect(await isReachable(on)).toBe(false);
    expect(performance.now() - askedAt).toBeLessThan(12_000);
  });

  test("is waited for while the engine takes connections", async () => {
    const on = hostNamed("slow");
    expect(await isReachable(on)).toBe(true);
    isSilent = true;
    const answered = vi.fn<() => void>();
    void isReachable(on).then(answered);
    await sleep(6000);
    expect(answered).not.toHaveBeenCalled();
    expect(connections).toBe(2);
  });
});
