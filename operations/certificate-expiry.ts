import { X509Certificate } from "node:crypto";

const DAY_MILLISECONDS = 24 * 60 * 60 * 1000;

/** Days until a certificate ends; negative once it has. */
export function daysLeft(certificatePem: string, now: Date = new Date()): number {
  const notAfter = Date.parse(new X509Certificate(certificatePem).validTo);
  return Math.floor((notAfter - now.getTime()) / DAY_MILLISECONDS);
}
