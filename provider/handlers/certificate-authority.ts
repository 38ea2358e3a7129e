import { daysLeft, endsInWords } from "../../operations/certificate-expiry.ts";
import type { AuthorityParts } from "../../operations/own-authority.ts";
import { authorityParts, problemsOfAuthority } from "../../operations/own-authority.ts";
import type { Handler } from "../handler.ts";
import type { CertificateAuthorityInputs, CertificateAuthorityOutputs } from "../resources/certificate-authority.ts";

/** So many days before an authority ends, every preview says so. */
const WARNING_DAYS = 60;

export const certificateAuthorityHandler: Handler<CertificateAuthorityInputs, CertificateAuthorityOutputs> = {
  secretOutputs: ["privateKeyPem"],
  // Another name is no reason for another authority: every client would have to be told.
  ignoredInputs: ["commonName"],
  check: async (inputs, before) => [
    ...(inputs.given ? problemsOfAuthority(inputs.given) : []),
    ...(before === undefined ? [] : refusedSuccession(inputs, before)),
  ],
  drift: async ({ previousPem, certificatePem }, { given, version }, { log, warn }) => {
    if (previousPem !== "") {
      log(
        "the authority before is still trusted. Set certificateAuthority.trustPrevious to false once all clients have the new certificate.",
      );
    }
    const days = daysLeft(certificatePem);
    if (days < WARNING_DAYS) warn(endOfAuthority(days, version, Boolean(given)));
    return false;
  },
  announce: async (state, inputs, { impact }) => {
    const message =
      state.version === inputs.version
        ? "the authority before is trusted no more: clients need the certificate of the new one."
        : await describeSuccession(state, inputs);
    impact({ level: "reload", nodes: [], message: `${message} reload, 0 restarts` });
  },
  create: async (inputs) => {
    const { issuer, rootPem, intermediates } = await partsOf(inputs);
    const outputs = { ...issuer, trustedPem: rootPem, previousPem: "", crossPem: intermediates.join("") };
    return { id: inputs.commonName, outputs };
  },
  update: async (state, inputs) => {
    if (state.version !== inputs.version) return succeed(state, inputs);
    const { certificatePem, privateKeyPem, trustedPem, previousPem, crossPem } = state;
    const same = { certificatePem, privateKeyPem };
    if (inputs.trustPrevious) return { ...same, trustedPem, previousPem, crossPem };
    const { rootPem, intermediates } = partsOfState(state);
    return { ...same, trustedPem: rootPem, previousPem: "", crossPem: intermediates.join("") };
  },
};

function endOfAuthority(days: number, version: number, isGiven: boolean): string {
  const [name, another] = isGiven
    ? ["ownAuthority", "give another, and write"]
    : ["the certificate authority", "write"];
  return `${name} ${endsInWords(days)}, and with it every certificate that it issued: ${another} \`certificateAuthority: { version: ${version + 1} }\` into the stack file.`;
}

/** One that is over vouches for nobody. */
async function vouches({ certificatePem }: AuthorityParts["issuer"], intermediates: number): Promise<boolean> {
  const { mayVouch } = await import("../../operations/certificates.ts");
  return daysLeft(certificatePem) >= 0 && mayVouch(certificatePem, intermediates);
}

async function describeSuccession(
  old: AuthorityParts["issuer"],
  { given }: CertificateAuthorityInputs,
): Promise<string> {
  const clients = (await vouches(old, given ? authorityParts(given).intermediates.length : 0))
    ? "and the servers get certificates that clients of either take."
    : "and clients that trust the one before alone are refused from then on, for it may not vouch for another: give them both certificates first.";
  return `another authority: nodes and clients trust both, ${clients} The one before goes with trustPrevious: false.`;
}

function refusedSuccession(inputs: CertificateAuthorityInputs, before: CertificateAuthorityInputs): string[] {
  const { version, trustPrevious, given } = inputs;
  if (before.version === version) {
    if (given?.certificatePem === before.given?.certificatePem) return [];
    return [
      `ownAuthority is not the one before. Write \`certificateAuthority: { version: ${version + 1} }\` as well: another authority takes its place, and both are trusted until all clients know the new one.`,
    ];
  }
  if (trustPrevious) return [];
  return [
    `the certificate authority is replaced while trustPrevious is false: every client would be locked out at once. Write \`certificateAuthority: { version: ${version} }\` now, and trustPrevious: false in an update after all clients have the new certificate.`,
  ];
}

async function partsOf(inputs: CertificateAuthorityInputs): Promise<AuthorityParts> {
  if (inputs.given) return authorityParts(inputs.given);
  const { newAuthority } = await import("../../operations/certificates.ts");
  return selfSigned(await newAuthority(nameOf(inputs)));
}

const partsOfState = (state: CertificateAuthorityInputs & CertificateAuthorityOutputs): AuthorityParts =>
  state.given ? authorityParts(state.given) : selfSigned(state);

const selfSigned = ({ certificatePem, privateKeyPem }: AuthorityParts["issuer"]): AuthorityParts => ({
  issuer: { certificatePem, privateKeyPem },
  rootPem: certificatePem,
  intermediates: [],
});

/** Two authorities of one name would be hard to tell apart. */
const nameOf = ({ commonName, version }: CertificateAuthorityInputs): string =>
  version === 1 ? commonName : `${commonName} ${version}`;

async function succeed(
  state: CertificateAuthorityInputs & CertificateAuthorityOutputs,
  inputs: CertificateAuthorityInputs,
): Promise<CertificateAuthorityOutputs> {
  const { crossCertificate } = await import("../../operations/certificates.ts");
  const [old, next] = [partsOfState(state), await partsOf(inputs)];
  const { length } = next.intermediates;
  const isVouchedFor = await vouches(old.issuer, length);
  const cross = isVouchedFor ? [await crossCertificate(next.rootPem, old.issuer, length)] : [];
  return {
    ...next.issuer,
    trustedPem: next.rootPem + old.rootPem,
    previousPem: old.rootPem,
    crossPem: [...next.intermediates, ...cross, ...old.intermediates].join(""),
  };
}
