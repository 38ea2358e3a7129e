import type { Handler } from "../handler.ts";
import type { CertificateAuthorityInputs, CertificateAuthorityOutputs } from "../resources/certificate-authority.ts";

export const certificateAuthorityHandler: Handler<CertificateAuthorityInputs, CertificateAuthorityOutputs> = {
  secretOutputs: ["privateKeyPem"],
  // Another name is no reason for another authority: every client would have to be told.
  ignoredInputs: ["commonName"],
  create: async ({ commonName }) => {
    const { newAuthority } = await import("../../operations/certificates.ts");
    return { id: commonName, outputs: await newAuthority(commonName) };
  },
  update: async ({ certificatePem, privateKeyPem }) => ({ certificatePem, privateKeyPem }),
};
