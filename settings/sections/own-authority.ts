import { z } from "zod";
import { rules } from "../rules.ts";

const SET_KEY = "cat ca.key | pulumi config set --secret --path ownAuthority.privateKey";

const certificate = z
  .string()
  .regex(/^-----BEGIN CERTIFICATE-----\n[^]*\n-----END CERTIFICATE-----\s*$/)
  .register(rules, {
    what: "certificates in PEM",
    allowed: "the certificate of the authority that issues; after it those above it, up to the root that clients trust",
    fix: "Set it by: cat ca.crt | pulumi config set --path ownAuthority.certificate",
  });

const privateKey = z
  .string()
  .regex(/^-----BEGIN PRIVATE KEY-----\n[^]*\n-----END PRIVATE KEY-----\s*$/)
  .register(rules, {
    what: "a private key in PEM",
    allowed: "the key of the first certificate, without a passphrase (PKCS #8; openssl pkey writes one)",
    fix: `Set it by: ${SET_KEY}`,
  });

/** A certificate authority of the user's, that issues the servers' certificates instead of one that is made. */
export const ownAuthority = z
  .strictObject({ certificate: certificate.optional(), privateKey: privateKey.optional() })
  .register(rules, {
    what: "a mapping",
    allowed: "the keys certificate and privateKey",
    fix: `Set the certificate by pulumi config set --path ownAuthority.certificate, and the key by: ${SET_KEY}`,
  });

/** As much of the section as may stand in the open. */
export const openAuthority = z.strictObject({ certificate: z.unknown().optional() }).nullish();
