// The ASN.1 library below needs it before anything else.
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";

/** A certificate and its private key (PKCS #8), both PEM. */
export interface KeyPairPem {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

const KEY_ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MILLISECONDS = 24 * 60 * 60 * 1000;
const AUTHORITY_DAYS = 10 * 365;
const SERVER_DAYS = 365;
/** A certificate counts from a little earlier, for clocks that run behind. */
const BACKDATED_MILLISECONDS = 60 * 60 * 1000;

x509.cryptoProvider.set(webcrypto);

/** A certificate authority of its own for one topology. */
export async function newAuthority(commonName: string): Promise<KeyPairPem> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(AUTHORITY_DAYS),
    name: [{ CN: [commonName] }],
    keys,
    signingAlgorithm: KEY_ALGORITHM,
    extensions: [
      // One below it: the authority that succeeds it, see crossCertificate.
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificatePem: pem(certificate), privateKeyPem: await privateKeyPem(keys.privateKey) };
}

/**
 * A certificate by which an old authority vouches for its successor. A server that shows it beside its own certificate
 * is trusted by clients that know either of the two.
 */
export async function crossCertificate(successorPem: string, old: KeyPairPem): Promise<string> {
  const successor = new x509.X509Certificate(successorPem);
  const issuer = new x509.X509Certificate(old.certificatePem);
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity(AUTHORITY_DAYS),
    subject: successor.subjectName,
    issuer: issuer.subjectName,
    publicKey: successor.publicKey,
    signingKey: await importPrivateKey(old.privateKeyPem),
    signingAlgorithm: KEY_ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(successor.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return pem(certificate);
}

/**
 * A server certificate that is good for the names, DNS names and IP addresses alike: what `sslmode=verify-full` and
 * every TLS client compare.
 */
export async function newServerCertificate(authority: KeyPairPem, names: readonly string[]): Promise<KeyPairPem> {
  const keys = await newKeys();
  const issuer = new x509.X509Certificate(authority.certificatePem);
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity(SERVER_DAYS),
    subject: [{ CN: [names[0] ?? "server"] }],
    issuer: issuer.subjectName,
    publicKey: keys.publicKey,
    signingKey: await importPrivateKey(authority.privateKeyPem),
    signingAlgorithm: KEY_ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names.map((name) => ({ type: isIP(name) ? "ip" : "dns", value: name }))),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return { certificatePem: pem(certificate), privateKeyPem: await privateKeyPem(keys.privateKey) };
}

const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]);

const pem = (certificate: x509.X509Certificate): string => `${certificate.toString("pem")}\n`;

function validity(days: number): { serialNumber: string; notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return {
    serialNumber: Buffer.from(webcrypto.getRandomValues(new Uint8Array(16))).toString("hex"),
    notBefore: new Date(now - BACKDATED_MILLISECONDS),
    notAfter: new Date(now + days * DAY_MILLISECONDS),
  };
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = await webcrypto.subtle.exportKey("pkcs8", key);
  return `${x509.PemConverter.encode(der, "PRIVATE KEY")}\n`;
}

function importPrivateKey(text: string): Promise<webcrypto.CryptoKey> {
  const [der] = x509.PemConverter.decode(text);
  if (der === undefined) throw new Error("expected a private key in PEM");
  return webcrypto.subtle.importKey("pkcs8", der, KEY_ALGORITHM, false, ["sign"]);
}
