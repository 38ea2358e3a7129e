import { execa } from "execa";
import { vi } from "vitest";
import { newServerCertificate } from "../../operations/certificates.ts";
import { PROJECT_DIRECTORY } from "./project.ts";
import type { TestStack } from "./stack.ts";

const DAY_MILLISECONDS = 24 * 60 * 60 * 1000;
/** A certificate is made for 365 days: nine and a half are left. */
const AGE_DAYS = 355.5;

interface State {
  readonly deployment: { readonly resources: readonly StateResource[] };
}

interface StateResource {
  readonly urn: string;
  readonly inputs: {
    readonly names: string[];
    readonly authorityCertificatePem: string;
    authorityPrivateKeyPem: Secret;
  };
  readonly outputs: { certificatePem: string; privateKeyPem: Secret };
}

interface Secret {
  plaintext: string;
}

/** Puts into the state what would be there if the certificate of a node had been made nearly a year ago. */
export async function letCertificateEndSoon(stack: TestStack, node: string): Promise<void> {
  const options = { cwd: PROJECT_DIRECTORY, env: stack.environment };
  const { stdout } = await execa("pulumi", ["stack", "export", "--show-secrets", "--stack", stack.name], options);
  const state = JSON.parse(stdout) as State;
  const certificate = state.deployment.resources.find(({ urn }) => urn.endsWith(`::${node}-certificate`));
  if (certificate === undefined) throw new Error(`the state has no certificate of ${node}`);
  const { inputs, outputs } = certificate;
  const old = await certificateOf(inputs);
  outputs.certificatePem = old.certificatePem;
  outputs.privateKeyPem.plaintext = JSON.stringify(old.privateKeyPem);
  await execa("pulumi", ["stack", "import", "--stack", stack.name], { ...options, input: JSON.stringify(state) });
}

async function certificateOf(inputs: StateResource["inputs"]): ReturnType<typeof newServerCertificate> {
  const privateKeyPem = JSON.parse(inputs.authorityPrivateKeyPem.plaintext) as string;
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - AGE_DAYS * DAY_MILLISECONDS });
  try {
    return await newServerCertificate({ certificatePem: inputs.authorityCertificatePem, privateKeyPem }, inputs.names);
  } finally {
    vi.useRealTimers();
  }
}
