import { request } from "node:http";
import type { IncomingMessage, OutgoingHttpHeaders, Server } from "node:http";
import { networkInterfaces } from "node:os";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addressOf, serveDashboard } from "../../dashboard/server.ts";

let server: Server;
let port: number;

beforeAll(async () => {
  server = await serveDashboard(0, { page: () => "<p>page</p>", view: () => '{"title":"view"}' });
  port = Number(new URL(addressOf(server)).port);
});
afterAll(() => server.close());

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

function ask(path: string, headers: OutgoingHttpHeaders = {}, method: string = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request({ host: "127.0.0.1", port, path, method, headers }, (response) => {
      const { statusCode: status, headers } = response;
      text(response).then((body) => resolve({ status, headers, body }), reject);
    });
    asking.once("error", reject).end();
  });
}

test("it serves the page and its data, and nothing may keep or embed them", async () => {
  const page = await ask("/");
  expect(page).toMatchObject({ status: 200, body: "<p>page</p>" });
  expect(page.headers).toMatchObject({
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
  });
  expect(page.headers["access-control-allow-origin"]).toBeUndefined();
  expect(await ask("/view.json")).toMatchObject({ status: 200, body: '{"title":"view"}' });
});

test.each(["/etc/passwd", "/../package.json", "/view.json?x", "//"])("%s is not there", async (path) => {
  expect((await ask(path)).status).toBe(404);
});

test.each(["POST", "PUT", "DELETE", "HEAD", "OPTIONS"])("%s is refused: it can only be read", async (method) => {
  const answer = await ask("/", {}, method);
  expect(answer.status).toBe(405);
  expect(answer.headers.allow).toBe("GET");
});

test.each(["evil.example", "evil.example:8432", "127.0.0.1.evil.example", "localhost.evil.example", "192.168.0.7"])(
  "a page of the net that asks for it as %j is refused",
  async (host) => {
    expect(await ask("/view.json", { host })).toMatchObject({
      status: 421,
      body: expect.not.stringContaining('view"') as string,
    });
  },
);

test.each(["localhost", "LOCALHOST:1234", "127.0.0.1:8432", "[::1]:8432"])("%s is this machine", async (host) => {
  expect((await ask("/view.json", { host })).status).toBe(200);
});

test("no other interface leads to it", async () => {
  const others = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family }) => !internal && family === "IPv4");
  for (const { address } of others) {
    await expect(fetch(`http://${address}:${port}/`)).rejects.toThrow("fetch failed");
  }
});

test("a port that is taken is said, with what to do", async () => {
  const content = { page: () => "", view: () => "" };
  await expect(serveDashboard(port, content)).rejects.toThrow(
    `Port ${port} of 127.0.0.1 is taken. Choose another one: npm run dashboard -- --port N`,
  );
});
