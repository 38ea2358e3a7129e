import { OperationError, messageOf } from "./errors.ts";
import type { Node } from "./node.ts";
import { containerState } from "./observe.ts";
import { ServerEndedError, restartEnding, waitUntilReady } from "./server.ts";
import { areInstalled, installFiles, markProven } from "./server-files.ts";
import type { OperatorCredentials } from "./sql.ts";
import { readVolumeFiles } from "./volume-files.ts";
import type { VolumeContents } from "./volume-files.ts";
import { waitUntil } from "./wait-until.ts";

export interface ComeUpOptions {
  readonly operator: OperatorCredentials;
  readonly log: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits for a server that was started with the files that it has, those that it was last seen to run with. Where it ends
 * with them, the stack file may have mended what is wrong with them, and their turn would never come: it gets the new
 * ones at once.
 * @throws OperationError when it does not come up with either.
 */
export async function comeUp(options: ComeUpOptions, node: Node, files: VolumeContents): Promise<void> {
  try {
    await waitUntilReady(node, options.operator, options.signal);
  } catch (error) {
    if (!(error instanceof ServerEndedError)) throw error;
    if (areInstalled(files, await readVolumeFiles(files, node.container))) throw error;
    await startWithNewFiles(options, node, files, error);
  }
}

const HELD_INTERVAL_MILLISECONDS = 500;

/**
 * The same of a server that may have been replaced: while another node was made primary in its place, its guard keeps it
 * from starting, and no wait ends that.
 */
export async function comeUpOrBeHeld(
  options: ComeUpOptions,
  node: Node,
  files: VolumeContents,
): Promise<"up" | "held"> {
  const over = new AbortController();
  const signal = options.signal === undefined ? over.signal : AbortSignal.any([options.signal, over.signal]);
  try {
    return await Promise.race([
      comeUp({ ...options, signal }, node, files).then(() => "up" as const),
      untilHeld(node, signal),
    ]);
  } finally {
    over.abort();
  }
}

/** However long the other wait takes. */
const untilHeld = (node: Node, signal: AbortSignal): Promise<"held"> =>
  waitUntil({
    condition: `the guard of ${node.name} to hold it`,
    timeoutSeconds: Infinity,
    intervalMilliseconds: HELD_INTERVAL_MILLISECONDS,
    signal,
    probe: async () => ((await containerState(node)) === "held" ? "held" : undefined),
    seen: () => "it does not",
  });

async function startWithNewFiles(
  { operator, log, signal }: ComeUpOptions,
  node: Node,
  files: VolumeContents,
  before: OperationError,
): Promise<void> {
  log(`${node.name} does not start with the files that it has, and gets those of the stack file`);
  await installFiles(files);
  await restartEnding(node);
  try {
    await waitUntilReady(node, operator, signal);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    throw new OperationError(`${messageOf(error)}\nWith the files that it had before: ${messageOf(before)}`);
  }
  await markProven(files);
}
