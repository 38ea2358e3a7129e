import type { Handler } from "../handler.ts";
import type { CertificateAuthorityInputs, CertificateAuthorityOutputs } from "../resources/certificate-authority.ts";

export const certificateAuthorityHandler: Handler<CertificateAuthorityInputs, CertificateAuthorityOutputs> = {
  secretOutputs: ["privateKeyPem"],
  // Another name is no reason for another authority: every client would have to be told.
  ignoredInputs: ["commonName"],
  check: async (inputs, before) => {
    if (before === undefined || before.version === inputs.version || inputs.trustPrevious) return [];
    return [
      `the certificate authority is replaced while trustPrevious is false: every client would be locked out at once. Write \`certificateAuthority: { version: ${inputs.version} }\` now, and trustPrevious: false in an update after all clients have the new certificate.`,
    ];
  },
  drift: async ({ previousPem }, _inputs, { log }) => {
    if (previousPem !== "") {
      log(
        "the authority before is still trusted. Set certificateAuthority.trustPrevious to false once all clients have the new certificate.",
      );
    }
    return false;
  },
  announce: async (state, inputs, { impact }) => {
    const message =
      state.version === inputs.version
        ? "the authority before is trusted no more: clients need the certificate of the new one. reload, 0 restarts"
        : "another authority: nodes and clients trust both, and the servers get certificates that clients of either take. reload, 0 restarts. The one before goes with trustPrevious: false";
    impact({ level: "reload", nodes: [], message });
  },
  create: async (inputs) => {
    const { newAuthority } = await import("../../operations/certificates.ts");
    const authority = await newAuthority(nameOf(inputs));
    return { id: inputs.commonName, outputs: { ...authority, trustedPem: authority.certificatePem, ...NO_PREVIOUS } };
  },
  update: async (state, inputs) => {
    if (state.version !== inputs.version) return succeed(state, inputs);
    const { certificatePem, privateKeyPem } = state;
    const previous = inputs.trustPrevious ? { previousPem: state.previousPem, crossPem: state.crossPem } : NO_PREVIOUS;
    return { certificatePem, privateKeyPem, trustedPem: certificatePem + previous.previousPem, ...previous };
  },
};

const NO_PREVIOUS = { previousPem: "", crossPem: "" };

/** Two authorities of one name would be hard to tell apart. */
const nameOf = ({ commonName, version }: CertificateAuthorityInputs): string =>
  version === 1 ? commonName : `${commonName} ${version}`;

async function succeed(
  old: CertificateAuthorityOutputs,
  inputs: CertificateAuthorityInputs,
): Promise<CertificateAuthorityOutputs> {
  const { crossCertificate, newAuthority } = await import("../../operations/certificates.ts");
  const authority = await newAuthority(nameOf(inputs));
  return {
    ...authority,
    trustedPem: authority.certificatePem + old.certificatePem,
    previousPem: old.certificatePem,
    crossPem: await crossCertificate(authority.certificatePem, old),
  };
}
