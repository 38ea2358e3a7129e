import { problem } from "../findings.ts";
import type { Check } from "./check.ts";

/** A certificate without its key issues nothing, and a key alone says nothing. */
export const checkOwnAuthority: Check = ({ ownAuthority }, { isRefused }) => {
  const { certificate, privateKey } = ownAuthority ?? {};
  const stands = (key: string, value: string | undefined): boolean =>
    value !== undefined || isRefused(["ownAuthority", key]);
  const hasCertificate = stands("certificate", certificate);
  if (hasCertificate === stands("privateKey", privateKey)) return [];
  const missing = hasCertificate ? "privateKey" : "certificate";
  return [
    problem(["ownAuthority", missing], {
      what: "it is missing",
      fix: hasCertificate
        ? "Set it by: cat ca.key | pulumi config set --secret --path ownAuthority.privateKey"
        : "Set it by: cat ca.crt | pulumi config set --path ownAuthority.certificate",
    }),
  ];
};
