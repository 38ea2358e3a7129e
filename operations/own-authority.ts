import { X509Certificate, createPrivateKey } from "node:crypto";
import type { KeyPairPem } from "./certificates.ts";

/** A certificate authority of the user's. */
export interface OwnAuthority {
  /** PEM: the certificate that issues, and those above it up to the root that clients trust. */
  readonly certificatePem: string;
  /** PKCS #8 of the first certificate. */
  readonly privateKeyPem: string;
}

/** The same in its parts. Each text ends with a line break. */
export interface AuthorityParts {
  /** What signs, and its key. */
  readonly issuer: KeyPairPem;
  /** What clients and servers trust. */
  readonly rootPem: string;
  /** What a server shows beside its own certificate, so that the root is reached; none: the root issues. */
  readonly intermediates: readonly string[];
}

/** @throws Error on what problemsOfAuthority names. */
export function authorityParts({ certificatePem, privateKeyPem }: OwnAuthority): AuthorityParts {
  const chain = certificatesIn(certificatePem);
  const [issuer = ""] = chain;
  return {
    issuer: { certificatePem: issuer, privateKeyPem },
    rootPem: chain.at(-1) ?? "",
    intermediates: chain.slice(0, -1),
  };
}

const certificatesIn = (pem: string): string[] =>
  (pem.match(/-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/g) ?? []).map((text) => `${text}\n`);

/** Why an authority cannot issue certificates that clients accept (RFC 5280, section 6), a sentence each. */
export function problemsOfAuthority({ certificatePem, privateKeyPem }: OwnAuthority): string[] {
  const chain = certificatesIn(certificatePem).map(readCertificate);
  if (!chain.every((certificate) => certificate !== undefined)) {
    return ["ownAuthority.certificate holds a block that is no certificate. Give PEM, the issuing certificate first."];
  }
  const [issuer] = chain;
  if (issuer === undefined) return ["ownAuthority.certificate holds no certificate. Give PEM."];
  return [...keyProblems(issuer, privateKeyPem), ...chain.flatMap(certificateProblems), ...chainProblems(chain)];
}

function readCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function keyProblems(issuer: X509Certificate, privateKeyPem: string): string[] {
  const kinds = "an RSA key, or an EC key on P-256 or P-384";
  try {
    const key = createPrivateKey(privateKeyPem);
    const curve = key.asymmetricKeyDetails?.namedCurve;
    const canSign = key.asymmetricKeyType === "rsa" || curve === "prime256v1" || curve === "secp384r1";
    if (!canSign) return [`ownAuthority.privateKey is not of a kind that issues here: expected ${kinds}.`];
    if (issuer.checkPrivateKey(key)) return [];
    return [`ownAuthority.privateKey is not the key of the first certificate (${nameOf(issuer)}).`];
  } catch {
    return [`ownAuthority.privateKey cannot be read: expected ${kinds}, in PEM and without a passphrase.`];
  }
}

function certificateProblems(certificate: X509Certificate): string[] {
  const name = nameOf(certificate);
  return [
    ...(certificate.ca ? [] : [`${name} of ownAuthority.certificate is not the certificate of an authority.`]),
    ...(certificate.validToDate < new Date()
      ? [
          `${name} of ownAuthority.certificate ended at ${certificate.validToDate.toISOString()}: give one that is good.`,
        ]
      : []),
  ];
}

function chainProblems(chain: readonly X509Certificate[]): string[] {
  const root = chain.at(-1);
  const broken = chain.slice(0, -1).find((certificate, index) => !isIssuedBy(certificate, chain[index + 1]));
  if (broken !== undefined) return [`${nameOf(broken)} of ownAuthority.certificate is not issued by the one after it.`];
  if (root === undefined || isIssuedBy(root, root)) return [];
  return [
    `ownAuthority.certificate ends with ${nameOf(root)}, which is no root: add the certificates above it, the root last.`,
  ];
}

const isIssuedBy = (certificate: X509Certificate, issuer: X509Certificate | undefined): boolean =>
  issuer !== undefined && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);

const nameOf = ({ subject }: X509Certificate): string => `"${subject.replaceAll("\n", ", ")}"`;
