import { execa } from "execa";
import { PROJECT_DIRECTORY } from "./project.ts";
import type { Login } from "./servers.ts";
import type { TestStack } from "./stack.ts";

/** The outputs of a stack: names and shapes are a contract with whoever reads them. */
export interface StackOutputs {
  readonly primary: string;
  readonly nodes: readonly NodeOutput[];
  readonly readWriteUri: string;
  readonly readOnlyUri: string;
  readonly certificateAuthority: string;
  readonly replication: readonly ReplicationOutput[];
  readonly timeline: number;
  readonly systemIdentifier: string;
  readonly lastRestart: {
    readonly nodes: readonly string[];
    readonly writeGapMs: number | null;
    readonly at: string;
  } | null;
  readonly lastSwitchover: {
    readonly from: string;
    readonly to: string;
    readonly writeGapMs: number | null;
    readonly lostBytes: number | null;
    readonly at: string;
  } | null;
}

export interface NodeOutput {
  readonly name: string;
  readonly role: string;
  readonly container: string;
  readonly host: string;
  readonly port: number;
}

export interface ReplicationOutput {
  readonly node: string;
  readonly state: string;
  readonly syncState: string;
  readonly slot: string;
  readonly replayLagBytes: number;
}

/** How the owner of the database logs in to one node, by what the outputs say. */
export function ownerLogin(outputs: StackOutputs, node: string): Login {
  const { host, port } = endpointOf(outputs, node);
  const uri = new URL(firstHostOnly(outputs.readWriteUri));
  return {
    host,
    port,
    user: decodeURIComponent(uri.username),
    password: decodeURIComponent(uri.password),
    database: uri.pathname.slice(1),
    certificateAuthority: outputs.certificateAuthority,
  };
}

export function endpointOf(outputs: StackOutputs, node: string): NodeOutput {
  const found = outputs.nodes.find(({ name }) => name === node);
  if (found === undefined) throw new Error(`the outputs name no node ${node}`);
  return found;
}

/** URL knows one host only; libpq takes several. */
const firstHostOnly = (uri: string): string => uri.replace(/@([^,/]+),[^/]*\//, "@$1/");

/** What `pulumi stack output --json` shows to whoever looks: secrets are not part of it. */
export async function outputsAsShown(stack: TestStack): Promise<unknown> {
  const command = ["stack", "output", "--json", "--stack", stack.name];
  const { stdout } = await execa("pulumi", command, { cwd: PROJECT_DIRECTORY, env: stack.environment });
  return JSON.parse(stdout);
}

interface StateResource {
  readonly urn: string;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** A password out of the decrypted state: nothing else shows those of the stack's own roles. */
export async function passwordInState(stack: TestStack, of: "operator" | "replication"): Promise<string> {
  const command = ["stack", "export", "--show-secrets", "--stack", stack.name];
  const { stdout } = await execa("pulumi", command, { cwd: PROJECT_DIRECTORY, env: stack.environment });
  const { deployment } = JSON.parse(stdout) as { deployment: { resources: StateResource[] } };
  const resource = deployment.resources.find(({ urn }) => urn.endsWith(`::credentials-${of}-password`));
  const { plaintext } = resource?.outputs?.["value"] as { plaintext: string };
  return JSON.parse(plaintext) as string;
}
