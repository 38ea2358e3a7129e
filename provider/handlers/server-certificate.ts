import { RENEWAL_DAYS, daysLeft, endsInWords } from "../../operations/certificate-expiry.ts";
import type { Handler } from "../handler.ts";
import type { ServerCertificateInputs, ServerCertificateOutputs } from "../resources/server-certificate.ts";

export const serverCertificateHandler: Handler<ServerCertificateInputs, ServerCertificateOutputs> = {
  secretOutputs: ["privateKeyPem"],
  drift: async ({ certificatePem }, { names, authorityCertificatePem }, { drift }) => {
    const days = daysLeft(certificatePem);
    // Another certificate of the same authority would end at the same moment.
    if (days > RENEWAL_DAYS || days >= daysLeft(authorityCertificatePem)) return false;
    const message = `the certificate ${endsInWords(days)}: it is issued anew, and the server reads it by a reload`;
    drift({ level: "reload", nodes: names.slice(0, 1), message });
    return true;
  },
  create: async (inputs) => ({ id: inputs.names[0] ?? "server", outputs: await issue(inputs) }),
  update: async (_state, inputs) => issue(inputs),
};

async function issue(inputs: ServerCertificateInputs): Promise<ServerCertificateOutputs> {
  const { newServerCertificate } = await import("../../operations/certificates.ts");
  const authority = { certificatePem: inputs.authorityCertificatePem, privateKeyPem: inputs.authorityPrivateKeyPem };
  return newServerCertificate(authority, inputs.names);
}
