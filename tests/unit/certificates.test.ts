import { X509Certificate } from "node:crypto";
import { afterEach, expect, test, vi } from "vitest";
import { crossCertificate, newAuthority, newServerCertificate } from "../../operations/certificates.ts";
import type { Impact } from "../../operations/impact.ts";
import type { Context } from "../../provider/handler.ts";
import { serverCertificateHandler } from "../../provider/handlers/server-certificate.ts";

const DAY_MILLISECONDS = 24 * 60 * 60 * 1000;

afterEach(() => vi.useRealTimers());

test("an old authority vouches for its successor, which keeps its name and its key", async () => {
  const [old, successor] = [await newAuthority("first"), await newAuthority("second")];
  const cross = new X509Certificate(await crossCertificate(successor.certificatePem, old, 0));
  const [oldRoot, newRoot] = [old, successor].map(({ certificatePem }) => new X509Certificate(certificatePem));
  expect(cross.verify(oldRoot?.publicKey ?? cross.publicKey)).toBe(true);
  expect([cross.subject, cross.issuer, cross.ca]).toEqual([newRoot?.subject, oldRoot?.subject, true]);

  const server = new X509Certificate((await newServerCertificate(successor, ["node-1"])).certificatePem);
  expect(server.verify(cross.publicKey)).toBe(true);
});

test("a server's certificate is issued anew from 30 days before its end, and preview says so", async () => {
  const authority = await newAuthority("first");
  const { certificatePem, privateKeyPem } = await newServerCertificate(authority, ["node-1"]);
  const inputs = {
    names: ["node-1"],
    authorityCertificatePem: authority.certificatePem,
    authorityPrivateKeyPem: authority.privateKeyPem,
  };
  const found: Impact[] = [];
  const context = { drift: (impact: Impact) => found.push(impact) } as unknown as Context;
  const renewed = (): Promise<boolean> | undefined =>
    serverCertificateHandler.drift?.({ ...inputs, certificatePem, privateKeyPem }, inputs, context);

  vi.useFakeTimers({ now: Date.now() + 333 * DAY_MILLISECONDS });
  expect(await renewed()).toBe(false);
  vi.setSystemTime(Date.now() + 2 * DAY_MILLISECONDS);
  expect(await renewed()).toBe(true);
  const message = "the certificate ends in 29 days: it is issued anew, and the server reads it by a reload";
  expect(found).toEqual([{ level: "reload", nodes: ["node-1"], message }]);
});
