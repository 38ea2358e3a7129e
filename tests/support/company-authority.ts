// The ASN.1 library below needs it before anything else.
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { OwnAuthority } from "../../operations/own-authority.ts";

x509.cryptoProvider.set(webcrypto);

const RSA = {
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
};
const P384 = { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" };
const DAY_MILLISECONDS = 24 * 60 * 60 * 1000;

export interface CompanyAuthority extends OwnAuthority {
  readonly rootPem: string;
  readonly rootKeyPem: string;
  readonly issuingPem: string;
}

/** As companies have them: an RSA root, and below it an authority on P-384 that issues for so many days. */
export async function companyAuthority(days = 1000): Promise<CompanyAuthority> {
  const [rootKeys, issuingKeys] = await Promise.all([
    webcrypto.subtle.generateKey(RSA, true, ["sign", "verify"]),
    webcrypto.subtle.generateKey(P384, true, ["sign", "verify"]),
  ]);
  const validity = { notBefore: new Date(Date.now() - DAY_MILLISECONDS) };
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    notAfter: new Date(Date.now() + 5000 * DAY_MILLISECONDS),
    name: [{ O: ["Company"] }, { CN: ["Company root"] }],
    keys: rootKeys,
    signingAlgorithm: RSA,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  const issuing = await x509.X509CertificateGenerator.create({
    ...validity,
    notAfter: new Date(Date.now() + days * DAY_MILLISECONDS),
    subject: [{ O: ["Company"] }, { CN: ["Company databases"] }],
    issuer: root.subjectName,
    publicKey: issuingKeys.publicKey,
    signingKey: rootKeys.privateKey,
    signingAlgorithm: RSA,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  });
  const [rootPem, issuingPem] = [root, issuing].map((certificate) => `${certificate.toString("pem")}\n`) as [
    string,
    string,
  ];
  return {
    certificatePem: issuingPem + rootPem,
    privateKeyPem: await pemOf(issuingKeys.privateKey),
    rootPem,
    rootKeyPem: await pemOf(rootKeys.privateKey),
    issuingPem,
  };
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}
