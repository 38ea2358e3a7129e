import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { TLSSocket, createSecureContext } from "node:tls";
import { afterEach, expect, test } from "vitest";
import { asOptions, sessionSettings } from "../../config-templates/session-settings.ts";
import { newAuthority, newServerCertificate } from "../../operations/certificates.ts";
import { withOperator } from "../../operations/sql.ts";

test("a server before 17 is told nothing that it does not know", () => {
  expect(asOptions(sessionSettings(17))).toContain("-c transaction_timeout=0");
  expect(asOptions(sessionSettings(16))).not.toContain("transaction_timeout");
});

test("a space in a value ends no option", () => {
  expect(asOptions({ default_transaction_isolation: "read committed", jit: "off" })).toBe(
    "-c default_transaction_isolation=read\\ committed -c jit=off",
  );
});

let server: Server | undefined;
afterEach(() => server?.close());

/** PostgreSQL, "Message Formats": a type, the length of what follows with itself, and that. */
function message(type: string, ...parts: (string | number)[]): Buffer {
  const body = Buffer.concat(
    parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.from([0, 0, 0, part]))),
  );
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
}

const UNKNOWN = message("E", 'SFATAL\0C42704\0Munrecognized configuration parameter "transaction_timeout"\0\0');
const WELCOME = Buffer.concat([message("R", 0), message("Z", "I")]);

test("a server that does not know transaction_timeout is asked without it, and from then on at once", async () => {
  const authority = await newAuthority("authority");
  const { certificatePem: cert, privateKeyPem: key } = await newServerCertificate(authority, ["node-1"]);
  const begun: string[] = [];
  const greet = (secure: TLSSocket): void => {
    secure.on("error", () => undefined);
    secure.once("data", (startup: Buffer) => {
      begun.push(startup.toString());
      if (startup.includes("transaction_timeout")) secure.end(UNKNOWN);
      else secure.write(WELCOME);
    });
  };
  server = createServer((socket: Socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => {
      socket.write("S");
      greet(new TLSSocket(socket, { isServer: true, secureContext: createSecureContext({ cert, key }) }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const endpoint = { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
  const node = { name: "node-1", container: "node-1", endpoint };
  const operator = { user: "operator", password: "secret", certificateAuthorityPem: authority.certificatePem };
  await withOperator(node, operator, async () => undefined);
  await withOperator(node, operator, async () => undefined);
  expect(begun.map((startup) => startup.includes("transaction_timeout"))).toEqual([true, false, false]);
  for (const startup of begun) expect(startup).toContain("-c statement_timeout=0");
});
