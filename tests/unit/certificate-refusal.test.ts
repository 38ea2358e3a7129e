import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { TLSSocket, createSecureContext } from "node:tls";
import { afterEach, expect, test, vi } from "vitest";
import { isCertificateRefusal } from "../../operations/certificate-refusal.ts";
import { newAuthority, newServerCertificate } from "../../operations/certificates.ts";
import type { KeyPairPem } from "../../operations/certificates.ts";
import { withOperator } from "../../operations/sql.ts";

const DAY_MILLISECONDS = 24 * 60 * 60 * 1000;

async function daysAgo<T>(days: number, use: () => Promise<T>): Promise<T> {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - days * DAY_MILLISECONDS });
  try {
    return await use();
  } finally {
    vi.useRealTimers();
  }
}

let server: Server | undefined;
afterEach(() => server?.close());

/** What comes of a login at something that answers a request for TLS as PostgreSQL does, and shows a certificate. */
async function login(certificate: KeyPairPem, authorityPem: string): Promise<unknown> {
  const { certificatePem: cert, privateKeyPem: key } = certificate;
  server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => {
      socket.write("S");
      const secure = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext({ cert, key }) });
      secure.on("error", () => undefined).on("secure", () => secure.end());
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const endpoint = { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
  const operator = { user: "operator", password: "secret", certificateAuthorityPem: authorityPem };
  const attempt = withOperator({ name: "node-1", container: "node-1", endpoint }, operator, async () => undefined);
  return attempt.catch((error: unknown) => error);
}

test("a certificate that is over is refused", async () => {
  const authority = await newAuthority("authority");
  const over = await daysAgo(370, () => newServerCertificate(authority, ["node-1"]));
  const error = await login(over, authority.certificatePem);
  expect(String(error)).toContain("certificate has expired");
  expect(isCertificateRefusal(error)).toBe(true);
});

test("so is one of an authority that is over, also where its successor is trusted as well", async () => {
  const authority = await daysAgo(10 * 366, () => newAuthority("authority"));
  const certificate = await newServerCertificate(authority, ["node-1"]);
  const successor = await newAuthority("authority 2");
  expect(isCertificateRefusal(await login(certificate, successor.certificatePem + authority.certificatePem))).toBe(
    true,
  );
});

test("and one of an authority that is not trusted", async () => {
  const certificate = await newServerCertificate(await newAuthority("authority"), ["node-1"]);
  const { certificatePem } = await newAuthority("another");
  expect(isCertificateRefusal(await login(certificate, certificatePem))).toBe(true);
});

test("a server that ends the connection does not refuse for its certificate", async () => {
  const authority = await newAuthority("authority");
  const certificate = await newServerCertificate(authority, ["node-1"]);
  const error = await login(certificate, authority.certificatePem);
  expect(String(error)).toContain("node-1 does not answer");
  expect(isCertificateRefusal(error)).toBe(false);
});
