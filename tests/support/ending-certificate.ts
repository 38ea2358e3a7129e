import { execa } from "execa";
import { vi } from "vitest";
import { newAuthority, newServerCertificate } from "../../operations/certificates.ts";
import type { KeyPairPem } from "../../operations/certificates.ts";
import { writeVolumeFiles } from "../../operations/volume-files.ts";
import { docker } from "./containers.ts";
import { PROJECT_DIRECTORY } from "./project.ts";
import { psqlIn } from "./servers.ts";
import type { TestStack } from "./stack.ts";

const DAY_MILLISECONDS = 24 * 60 * 60 * 1000;
/** A certificate is made for 365 days: nine and a half are left, or it has been over for four and a half. */
const OLD_DAYS = 355.5;
const OVER_DAYS = 369.5;
/** An authority is made for ten years. */
const AUTHORITY_OVER_DAYS = 10 * 365 + 4.5;

interface State {
  readonly deployment: { readonly resources: readonly StateResource[] };
}

interface StateResource {
  readonly urn: string;
  readonly inputs: {
    readonly commonName: string;
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
  const state = await exportState(stack);
  await makeOlder(state, node, OLD_DAYS);
  await importState(stack, state);
}

/** The same of more than a year ago; and the server of the node shows it. */
export async function letCertificateBeOver(stack: TestStack, node: string): Promise<void> {
  const state = await exportState(stack);
  const old = await makeOlder(state, node, OVER_DAYS);
  await importState(stack, state);
  await show(stack, node, old);
}

/** Puts into the state and on the nodes what would be there if the stack had been made more than ten years ago. */
export async function letAuthorityBeOver(stack: TestStack, nodes: readonly string[]): Promise<void> {
  const state = await exportState(stack);
  const { inputs, outputs } = resourceOf(state, "credentials-authority");
  const authority = await daysAgo(AUTHORITY_OVER_DAYS, () => newAuthority(inputs.commonName));
  const replacements = [replacementsOf(outputs, authority)];
  for (const node of nodes) {
    const certificate = resourceOf(state, `${node}-certificate`);
    const old = await daysAgo(OVER_DAYS, () => newServerCertificate(authority, certificate.inputs.names));
    replacements.push(replacementsOf(certificate.outputs, old));
    await show(stack, node, old, authority.certificatePem);
  }
  const forged = replacements.flat().reduce((text, [from, to]) => text.replaceAll(from, to), JSON.stringify(state));
  await importState(stack, JSON.parse(forged) as State);
}

/** A PEM text stands in a state in the open, and once more in quotes where it is secret. */
function replacementsOf(
  { certificatePem, privateKeyPem }: StateResource["outputs"],
  made: KeyPairPem,
): [string, string][] {
  const key = JSON.parse(privateKeyPem.plaintext) as string;
  const pairs: [string, string][] = [
    [certificatePem, made.certificatePem],
    [key, made.privateKeyPem],
  ];
  const once = (text: string): string => JSON.stringify(text.trim()).slice(1, -1);
  return pairs.flatMap(([from, to]) => [
    [once(once(from)), once(once(to))],
    [once(from), once(to)],
  ]);
}

async function makeOlder(state: State, node: string, days: number): Promise<KeyPairPem> {
  const { inputs, outputs } = resourceOf(state, `${node}-certificate`);
  const privateKeyPem = JSON.parse(inputs.authorityPrivateKeyPem.plaintext) as string;
  const authority = { certificatePem: inputs.authorityCertificatePem, privateKeyPem };
  const old = await daysAgo(days, () => newServerCertificate(authority, inputs.names));
  outputs.certificatePem = old.certificatePem;
  outputs.privateKeyPem.plaintext = JSON.stringify(old.privateKeyPem);
  return old;
}

function resourceOf(state: State, name: string): StateResource {
  const found = state.deployment.resources.find(({ urn }) => urn.endsWith(`::${name}`));
  if (found === undefined) throw new Error(`the state has no ${name}`);
  return found;
}

async function daysAgo<T>(days: number, use: () => Promise<T>): Promise<T> {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - days * DAY_MILLISECONDS });
  try {
    return await use();
  } finally {
    vi.useRealTimers();
  }
}

async function show(stack: TestStack, node: string, pair: KeyPairPem, authorityPem?: string): Promise<void> {
  const container = stack.container(node);
  const mount = "/etc/pg-topology";
  const volume = await docker(
    "inspect",
    container,
    "--format",
    `{{range .Mounts}}{{if eq .Destination "${mount}"}}{{.Name}}{{end}}{{end}}`,
  );
  const file = (name: string, content: string, mode: number) => ({ path: `${mount}/tls/${name}`, content, mode });
  const files = [file("server.crt", pair.certificatePem, 0o644), file("server.key", pair.privateKeyPem, 0o600)];
  const trusted = authorityPem === undefined ? [] : [file("ca.crt", authorityPem, 0o644)];
  await writeVolumeFiles({
    ...{ image: "postgres:17", volume, mount, uid: 999, labels: {} },
    files: [...files, ...trusted],
  });
  await psqlIn(container, "SELECT pg_reload_conf()");
}

const optionsFor = (stack: TestStack) => ({ cwd: PROJECT_DIRECTORY, env: stack.environment });

async function exportState(stack: TestStack): Promise<State> {
  const command = ["stack", "export", "--show-secrets", "--stack", stack.name];
  const { stdout } = await execa("pulumi", command, optionsFor(stack));
  return JSON.parse(stdout) as State;
}

async function importState(stack: TestStack, state: State): Promise<void> {
  const input = JSON.stringify(state);
  await execa("pulumi", ["stack", "import", "--stack", stack.name], { ...optionsFor(stack), input });
}
