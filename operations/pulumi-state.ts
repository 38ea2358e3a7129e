import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { OperationError } from "./errors.ts";

/** A stack in whatever backend the CLI uses. */
export interface StackReference {
  /** Where Pulumi.yaml is. */
  readonly projectDirectory: string;
  /** As the CLI knows it: it may begin with an organization. */
  readonly stack: string;
}

/** As much of a state as is looked at here; what else is in it stays as it is. */
export interface ExportedState {
  readonly deployment?: {
    readonly resources?: readonly StateResource[];
    readonly pending_operations?: readonly PendingOperation[];
  };
}

export interface StateResource {
  readonly urn: string;
  readonly id?: string;
  readonly type: string;
  /** URN and id of the provider that has made it. */
  readonly provider?: string;
  readonly protect?: boolean;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly dependencies?: readonly string[];
  /** By the name of an input. */
  readonly propertyDependencies?: Readonly<Record<string, readonly string[] | null>>;
}

/** Something that an update was interrupted in. */
interface PendingOperation {
  readonly type: string;
  readonly resource: { readonly urn: string };
}

/** The project's name, as Pulumi.yaml has it. */
export async function projectName(projectDirectory: string): Promise<string> {
  const name = /^name:\s*["']?([^\s"']+)/m.exec(await readFile(join(projectDirectory, "Pulumi.yaml"), "utf8"))?.[1];
  if (name === undefined) throw new OperationError(`expected a line "name: ..." in ${projectDirectory}/Pulumi.yaml`);
  return name;
}

/**
 * The ids of everything that the state of a stack knows: for a container or a network, the engine's own id. A stack
 * that the backend does not have knows nothing.
 */
export async function knownIds(reference: StackReference): Promise<Set<string>> {
  return idsIn(await exportState(reference));
}

export function idsIn(state: ExportedState): Set<string> {
  return new Set((state.deployment?.resources ?? []).flatMap((resource) => resource.id ?? []));
}

/** @throws OperationError when the state protects Docker volumes against deletion. */
export function requireUnprotected({ deployment }: ExportedState): void {
  const volumes = (deployment?.resources ?? [])
    .filter(({ type, protect }) => type === "docker:index/volume:Volume" && protect === true)
    .map(({ inputs }) => String(inputs?.["name"]));
  if (volumes.length === 0) return;
  throw new OperationError(
    `the stack cannot be deleted: its data volumes ${volumes.join(", ")} are protected. Set \`deletionProtection: false\` in the stack file and run an update first. No data was removed.`,
  );
}

/**
 * Takes out of the state which operations were interrupted: the CLI would warn of them in every update to come, and
 * every resource of a topology adopts what is there.
 * @returns them, for example "creating node-1-container".
 */
export async function forgetPendingOperations(reference: StackReference, state: ExportedState): Promise<string[]> {
  const pending = state.deployment?.pending_operations ?? [];
  if (pending.length === 0) return [];
  await importState(reference, { ...state, deployment: { ...state.deployment, pending_operations: [] } });
  return pending.map(({ type, resource }) => `${type} ${resource.urn.split("::").at(-1) ?? resource.urn}`);
}

/** The address of the backend, for example file:///srv/state or https://api.pulumi.com/someone. */
export async function backendUrl(projectDirectory: string): Promise<string> {
  const chosen = process.env["PULUMI_BACKEND_URL"];
  if (chosen !== undefined && chosen !== "") return chosen;
  const { exitCode, stdout, stderr } = await cli(projectDirectory, ["whoami", "--json"]);
  if (exitCode !== 0) throw new OperationError(`the Pulumi backend does not answer: ${stderr.trim()}`);
  return (JSON.parse(stdout) as { url: string }).url;
}

/** Whether the backend says that an update of the stack is running; file backends and the like do not say. */
export async function updateInProgress({ projectDirectory, stack }: StackReference): Promise<boolean> {
  const { exitCode, stdout } = await cli(projectDirectory, ["stack", "ls", "--json"]);
  if (exitCode !== 0) return false;
  const stacks = JSON.parse(stdout) as { name: string; updateInProgress?: boolean }[];
  return stacks.some(({ name, updateInProgress: running }) => name === stack && running === true);
}

/** How often a state is read that cannot be read at first, and the pause between two readings. */
const READINGS = 10;
const PAUSE_MILLISECONDS = 300;

/**
 * A stack that the backend does not have is an empty state. It is read more than once where an update is just writing
 * it: the file backend replaces the file that describes the checkpoint (`.attrs`) by emptying it first, and who reads
 * at that moment is told "failed to load checkpoint: EOF".
 */
export async function exportState({ projectDirectory, stack }: StackReference): Promise<ExportedState> {
  for (let reading = 1; ; reading += 1) {
    const { exitCode, stdout, stderr } = await cli(projectDirectory, ["stack", "export", "--stack", stack]);
    if (stderr.includes("no stack named")) return {};
    if (exitCode === 0) return JSON.parse(stdout) as ExportedState;
    if (reading === READINGS || !stderr.includes("failed to load checkpoint")) {
      throw new OperationError(`the state of stack ${stack} cannot be read: ${stderr.trim()}`);
    }
    await sleep(PAUSE_MILLISECONDS);
  }
}

export const importState = (reference: StackReference, state: ExportedState): Promise<void> =>
  runCli(reference, ["stack", "import", "--stack", reference.stack], JSON.stringify(state));

async function runCli({ projectDirectory, stack }: StackReference, args: string[], input: string): Promise<void> {
  const { exitCode, stderr } = await cli(projectDirectory, args, input);
  if (exitCode !== 0) throw new OperationError(`the state of stack ${stack} cannot be written: ${stderr.trim()}`);
}

interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function cli(projectDirectory: string, args: string[], input: string = ""): Promise<CliResult> {
  const result = await execa("pulumi", [...args, "--non-interactive"], {
    cwd: projectDirectory,
    input,
    reject: false,
    env: { PULUMI_SKIP_UPDATE_CHECK: "true" },
  });
  if (result.exitCode === undefined) throw new OperationError(`pulumi could not be run: ${result.shortMessage}`);
  return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
}
