import { X509Certificate } from "node:crypto";

const DAY_MILLISECONDS = 24 * 60 * 60 * 1000;

/** An update renews a certificate that has no more days than this left. */
export const RENEWAL_DAYS = 30;

/** The first certificate of a PEM text: of a server's file its own, those of authorities follow. */
export const endOfCertificate = (certificatePem: string): Date => new Date(new X509Certificate(certificatePem).validTo);

/** Days until a moment; negative once it has passed. */
export const daysUntil = (moment: Date, now: Date = new Date()): number =>
  Math.floor((moment.getTime() - now.getTime()) / DAY_MILLISECONDS);

/** Days until a certificate ends; negative once it has. */
export const daysLeft = (certificatePem: string, now: Date = new Date()): number =>
  daysUntil(endOfCertificate(certificatePem), now);

/** As it completes "the certificate ...". */
export const endsInWords = (days: number): string => (days < 0 ? `ended ${-days} days ago` : `ends in ${days} days`);
