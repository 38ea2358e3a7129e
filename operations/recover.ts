import type { DockerHost } from "./docker-host.ts";
import { isReachable } from "./engine.ts";
import { OperationError } from "./errors.ts";
import { fileBackend, removeLock, removeUnfinishedFiles, stackLocks } from "./file-backend.ts";
import type { StackLock } from "./file-backend.ts";
import { hostsInState, withoutHost } from "./left-on-host.ts";
import { describeObject, removeObjects, stackObjects } from "./orphans.ts";
import type { StackMarks, StackObject } from "./orphans.ts";
import {
  backendUrl,
  exportState,
  forgetPendingOperations,
  idsIn,
  importState,
  updateInProgress,
} from "./pulumi-state.ts";
import type { ExportedState, StackReference } from "./pulumi-state.ts";

export interface Recovery extends StackMarks {
  readonly reference: StackReference;
  /** As the stack calls itself in labels and locks. */
  readonly identity: { readonly project: string; readonly stack: string };
  /** Servers that an update has brought up stay, even if this state does not know them: another one may. */
  readonly unfinishedOnly: boolean;
  /** The name of one that is gone for good, with all that is on it; undefined: none is. */
  readonly forgottenHost: string | undefined;
}

/**
 * Clears what interrupted updates left behind and no update can get past: locks of dead processes, and containers and
 * networks that the state does not know. Volumes stay: the next update takes over what is in them.
 * @returns what was done, a line for each.
 * @throws OperationError when an update may be running: what it just made would be taken for left behind.
 */
export async function recover(recovery: Recovery): Promise<string[]> {
  const { reference } = recovery;
  const cleared = await clearBackend(recovery);
  const known = await exportState(reference);
  const { state, forgotten } = await forgetHost(recovery, known);
  const left = await unknownObjects(recovery, state);
  await removeObjects(left);
  const pending = await forgetPendingOperations(reference, state);
  return [
    ...cleared,
    ...forgotten,
    ...left.map((object) => `stopped and removed the ${describeObject(object)}, which the state does not know`),
    ...pending.map((operation) => `forgot that an update was interrupted while ${operation}`),
    ...(left.length === 0 ? [] : ["all volumes are kept: the next `pulumi up` takes over the data in them"]),
  ];
}

interface Forgotten {
  readonly state: ExportedState;
  /** What was forgotten, a line each. */
  readonly forgotten: readonly string[];
}

async function forgetHost({ reference, forgottenHost: name }: Recovery, known: ExportedState): Promise<Forgotten> {
  if (name === undefined) return { state: known, forgotten: [] };
  const hosts = hostsInState(known);
  const gone = hosts.find(({ host }) => host.name === name);
  if (gone === undefined) {
    const there = hosts.map(({ host }) => host.name).join(", ") || "none";
    throw new OperationError(`the state of stack ${reference.stack} knows no host ${name}. It knows: ${there}.`);
  }
  if (await isReachable(gone)) {
    throw new OperationError(
      `${name} answers: take its nodes out of the stack file, and \`pulumi up\` removes what is there. Nothing was forgotten.`,
    );
  }
  const state = withoutHost(known, name);
  await importState(reference, state);
  return {
    state,
    forgotten: [`forgot the host ${name}`, ...gone.objects.map((object) => `forgot its ${object}, which stays there`)],
  };
}

async function unknownObjects(recovery: Recovery, state: ExportedState): Promise<StackObject[]> {
  const { unfinishedOnly } = recovery;
  const known = idsIn(state);
  const objects = await stackObjects(await withReachable(recovery, state));
  return objects.filter((object) => !known.has(object.id) && !(unfinishedOnly && object.registered));
}

/** What is on a host that does not answer cannot be cleared now, and is no reason to clear nothing. */
async function withReachable(recovery: Recovery, state: ExportedState): Promise<StackMarks> {
  const hosts = knownHosts(recovery, state);
  if (hosts.length === 0) return recovery;
  const reachable = await Promise.all(hosts.map((host) => isReachable({ host })));
  return { ...recovery, hosts: hosts.filter((_, index) => reachable[index]) };
}

/** The last update may have been run from another machine: of that, only the state tells. */
function knownHosts({ hosts = [] }: Recovery, state: ExportedState): DockerHost[] {
  const known = [...hostsInState(state).map(({ host }) => host), ...hosts];
  return [...new Map(known.map((host) => [host.name, host])).values()];
}

async function clearBackend({ reference, identity }: Recovery): Promise<string[]> {
  const files = fileBackend(await backendUrl(reference.projectDirectory), reference.projectDirectory, identity);
  if (files === undefined) {
    if (await updateInProgress(reference)) throw inProgress(reference);
    return [];
  }
  const locks = await stackLocks(files);
  const held = locks.find((lock) => lock.holder !== "dead");
  if (held !== undefined) throw locked(reference, held);
  const unfinished = await removeUnfinishedFiles(files);
  await Promise.all(locks.map(removeLock));
  return [
    ...unfinished.map((file) => `removed ${file}, which was being written when an update was killed`),
    ...locks.map((lock) => `removed the lock of process ${lock.pid}, which is gone`),
  ];
}

function locked({ stack }: StackReference, { holder, pid, hostname }: StackLock): OperationError {
  const way = holder === "alive" ? "Wait for it to end" : `If it is gone, run \`pulumi cancel ${stack}\``;
  return new OperationError(
    `the stack ${stack} is locked by process ${pid} on ${hostname}. ${way}, then run this again. Nothing was changed.`,
  );
}

const inProgress = ({ stack }: StackReference): OperationError =>
  new OperationError(
    `an update of the stack ${stack} is in progress. Wait for it to end, or run \`pulumi cancel ${stack}\`, then run this again. Nothing was changed.`,
  );
