import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { isReachable, isSilent } from "../../operations/engine.ts";

/** Asks the engine of a host twice, which ends every connection without an answer. @returns how often it was reached. */
async function askedTwice(name: string, endsAfterMilliseconds: number): Promise<{ reached: number; silent: boolean }> {
  let reached = 0;
  const server = createServer((socket) => {
    reached += 1;
    setTimeout(() => socket.destroy(), endsAfterMilliseconds);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const on = { host: { name, docker: `tcp://127.0.0.1:${port}`, address: "127.0.0.1" } };
  expect([await isReachable(on), await isReachable(on)]).toEqual([false, false]);
  server.close();
  return { reached, silent: isSilent(on) };
}

test("a host that has just kept somebody waiting in vain is not waited for again", async () => {
  expect(await askedTwice("slow", 1100)).toEqual({ reached: 1, silent: true });
});

test("one that refuses at once is asked again", async () => {
  expect(await askedTwice("quick", 0)).toEqual({ reached: 2, silent: false });
});
