import { X509Certificate, generateKeyPairSync } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { newAuthority, newServerCertificate } from "../../operations/certificates.ts";
import { authorityParts, problemsOfAuthority } from "../../operations/own-authority.ts";
import type { OwnAuthority } from "../../operations/own-authority.ts";
import type { Context } from "../../provider/handler.ts";
import { certificateAuthorityHandler } from "../../provider/handlers/certificate-authority.ts";
import { companyAuthority } from "../support/company-authority.ts";
import type { CompanyAuthority } from "../support/company-authority.ts";

let company: CompanyAuthority;
beforeAll(async () => {
  company = await companyAuthority();
});

test("an authority below a root issues, and the root vouches for it", async () => {
  const { issuer, rootPem, intermediates } = authorityParts(company);
  expect(problemsOfAuthority(company)).toEqual([]);
  expect([rootPem, intermediates]).toEqual([company.rootPem, [company.issuingPem]]);
  const server = new X509Certificate((await newServerCertificate(issuer, ["node-1"])).certificatePem);
  expect(server.verify(new X509Certificate(company.issuingPem).publicKey)).toBe(true);
});

test("a root that issues by itself is enough", async () => {
  const { rootPem, rootKeyPem } = company;
  const root = { certificatePem: rootPem, privateKeyPem: rootKeyPem };
  expect(problemsOfAuthority(root)).toEqual([]);
  expect(authorityParts(root)).toMatchObject({ rootPem, intermediates: [] });
  const server = new X509Certificate((await newServerCertificate(root, ["node-1"])).certificatePem);
  expect(server.verify(new X509Certificate(rootPem).publicKey)).toBe(true);
});

test("no certificate is good for longer than what issued it", async () => {
  const short = await companyAuthority(40);
  const server = new X509Certificate((await newServerCertificate(authorityParts(short).issuer, ["n"])).certificatePem);
  expect(server.validTo).toBe(new X509Certificate(short.issuingPem).validTo);
});

describe("an authority that cannot issue is refused", () => {
  const PROBLEMS: readonly (readonly [string, () => Promise<OwnAuthority> | OwnAuthority, string])[] = [
    ["another key", () => ({ ...company, privateKeyPem: company.rootKeyPem }), "not the key of the first certificate"],
    ["a key that is none", () => ({ ...company, privateKeyPem: "-----BEGIN PRIVATE KEY-----" }), "cannot be read"],
    [
      "a key of another kind",
      () => ({
        ...company,
        privateKeyPem: generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      }),
      "not of a kind that issues here",
    ],
    ["no root", () => ({ ...company, certificatePem: company.issuingPem }), "which is no root"],
    [
      "another root",
      async () => ({ ...company, certificatePem: company.issuingPem + (await newAuthority("other")).certificatePem }),
      "is not issued by the one after it",
    ],
    [
      "the certificate of a server",
      async () => newServerCertificate(await newAuthority("other"), ["node-1"]),
      "is not the certificate of an authority",
    ],
    [
      "one that has ended",
      () => companyAuthority(-2),
      '"O=Company, CN=Company databases" of ownAuthority.certificate ended at 20',
    ],
    [
      "a block that is no certificate",
      () => ({ ...company, certificatePem: "-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n" }),
      "no certificate",
    ],
  ];
  test.each(PROBLEMS)("%s", async (_title, authority, words) => {
    const problems = problemsOfAuthority(await authority());
    expect(problems.join("\n")).toContain(words);
    expect(problems.join("\n")).not.toContain("PRIVATE KEY");
  });
});

test("another authority in the stack file needs another version, for clients have to learn of it", async () => {
  const before = { commonName: "ours", version: 1, trustPrevious: true, given: null };
  const check = (version: number): Promise<string[]> | undefined =>
    certificateAuthorityHandler.check?.({ ...before, version, given: company }, before, {} as Context);
  expect(await check(1)).toEqual([expect.stringContaining("Write `certificateAuthority: { version: 2 }` as well")]);
  expect(await check(2)).toEqual([]);
});
