import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Below the range that the system hands out by itself: there, a connection of anybody may take the port meanwhile. */
const FIRST = 15_000;
const LAST = 31_999;

/** Ports of the loopback interface that nobody listens on at the moment; all different. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(FIRST, LAST + 1);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
