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
/** Authorities between the topology's own one and a server. */
const MAXIMUM_BELOW = 4;
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
      // Below it: the root of the authority that succeeds it, see crossCertificate, and what that root has below it.
      new x509.BasicConstraintsExtension(true, MAXIMUM_BELOW, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificatePem: pem(certificate), privateKeyPem: await privateKeyPem(keys.privateKey) };
}

/**
 * Whether an authority may vouch for the root of another one, which has so many authorities below it (RFC 5280, "Basic
 * Constraints": the length of the path).
 */
export function mayVouch(certificatePem: string, intermediates: number): boolean {
  const constraints = new x509.X509Certificate(certificatePem).getExtension(x509.BasicConstraintsExtension);
  return constraints?.pathLength === undefined || constraints.pathLength > intermediates;
}

/**
 * A certificate by which an old authority vouches for the root of its successor. A server that shows it beside its own
 * certificate is trusted by clients that know either of the two. It is the root that is vouched for: of two certificates
 * of one issuing authority OpenSSL would try only the first.
 */
export async function crossCertificate(successorPem: string, old: KeyPairPem, intermediates: number): Promise<string> {
  const successor = new x509.X509Certificate(successorPem);
  const issuer = new x509.X509Certificate(old.certificatePem);
  const certificate = await x509.X509CertificateGenerator.create({
    ...validityWithin(issuer, AUTHORITY_DAYS),
    subject: successor.subjectName,
    issuer: issuer.subjectName,
    publicKey: successor.publicKey,
    ...(await signing(old)),
    extensions: [
      new x509.BasicConstraintsExtension(true, intermediates, true),
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
    ...validityWithin(issuer, SERVER_DAYS),
    subject: [{ CN: [names[0] ?? "server"] }],
    issuer: issuer.subjectName,
    publicKey: keys.publicKey,
    ...(await signing(authority)),
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

/** What is signed is good no longer than what signs. */
function validityWithin(issuer: x509.X509Certificate, days: number): ReturnType<typeof validity> {
  const own = validity(days);
  return issuer.notAfter < own.notAfter ? { ...own, notAfter: issuer.notAfter } : own;
}

/** How an authority signs: one of the user's may have another kind of key than those that are made here. */
async function signing({ certificatePem, privateKeyPem: key }: KeyPairPem): Promise<{
  readonly signingKey: webcrypto.CryptoKey;
  readonly signingAlgorithm: { readonly name: string; readonly hash: string; readonly namedCurve?: string };
}> {
  const { name, namedCurve } = new x509.X509Certificate(certificatePem).publicKey.algorithm as EcKeyAlgorithm;
  const hash = namedCurve === "P-384" ? "SHA-384" : "SHA-256";
  const signingAlgorithm = namedCurve === undefined ? { name: "RSASSA-PKCS1-v1_5", hash } : { name, namedCurve, hash };
  const [der] = x509.PemConverter.decode(key);
  if (der === undefined) throw new Error("expected a private key in PEM");
  const signingKey = await webcrypto.subtle.importKey("pkcs8", der, signingAlgorithm, false, ["sign"]);
  return { signingKey, signingAlgorithm };
}

interface EcKeyAlgorithm {
  readonly name: string;
  readonly namedCurve?: string;
}
