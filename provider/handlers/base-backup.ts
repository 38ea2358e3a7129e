import prettyBytes from "pretty-bytes";
import { takeBaseBackup } from "../../operations/base-backup.ts";
import type { BaseBackupProgress } from "../../operations/base-backup.ts";
import { engineOf, inspectContainer, isReachable } from "../../operations/engine.ts";
import { messageOf } from "../../operations/errors.ts";
import { isDataGone, requireDataVolume } from "../../operations/node-data.ts";
import { findNodes } from "../../operations/node.ts";
import type { Node } from "../../operations/node.ts";
import { dropSlotEverywhere } from "../../operations/slots.ts";
import type { Context, Handler, NoOutputs } from "../handler.ts";
import type { BaseBackupInputs } from "../resources/base-backup.ts";

export const baseBackupHandler: Handler<BaseBackupInputs, NoOutputs> = {
  secretOutputs: [],
  // What is in the volume was copied once: another upstream or image later is no reason to copy it again.
  ignoredInputs: [
    ...(["node", "job", "image", "script", "mounts", "network", "labels", "nodeLabel", "placed"] as const),
    ...(["upstream", "operator", "dataMount", "dataDirectory", "fenceFile", "systemIdentifier"] as const),
  ],
  drift: async (_state, inputs, { drift, warn }) => {
    const { node, upstream, volume } = inputs;
    try {
      if (!(await isDataGone({ ...inputs, node: { ...node, volume } }))) return false;
      const message = `${node.name} has no data: it is cloned from ${upstream.name}`;
      drift({ level: "restart", nodes: [node.name], message });
      return true;
    } catch (error) {
      warn(`the data of ${node.name} could not be looked at: ${messageOf(error)}`);
      return false;
    }
  },
  create: async (inputs, context) => {
    await copy(inputs, context);
    return { id: inputs.volume, outputs: {} };
  },
  update: async (_state, inputs, context) => {
    await requireDataVolume({ ...inputs.node, volume: inputs.volume });
    await copy(inputs, context);
    return {};
  },
  delete: async ({ node, slot, ...marks }) => {
    // A standby that was made the primary stays, and its slots wait for the day on which it follows again.
    if (await isRunning(node)) return;
    await dropSlotEverywhere(await findNodes(marks), slot);
  },
};

async function copy(inputs: BaseBackupInputs, { signal, status, log, warn }: Context): Promise<void> {
  // An old primary that nobody can reach was replaced: what it has is looked at when it is back.
  if (!(await isReachable(inputs.node))) {
    warn(`${inputs.node.name} is left as it is: the engine of its host does not answer`);
    return;
  }
  const startedAt = performance.now();
  const result = await takeBaseBackup({
    ...inputs,
    signal,
    onProgress: (progress) => status(progressLine(progress, (performance.now() - startedAt) / 1000)),
  });
  if (result === "adopted") log("the volume holds this cluster already: nothing is copied");
}

/** A node that is removed has been stopped by its server's delete, or its host is gone, and with it who would be promoted. */
async function isRunning(node: Node): Promise<boolean> {
  if (!(await isReachable(node))) return false;
  return (await inspectContainer(engineOf(node), node.container))?.State.Running ?? false;
}

/** For example "streaming database files: 42 %, 1.2 GB of 2.9 GB, 12 s left". */
export function progressLine(progress: BaseBackupProgress, elapsedSeconds: number): string {
  const { phase, streamedBytes, totalBytes } = progress;
  if (totalBytes === null || totalBytes === 0 || streamedBytes === 0) return phase;
  const fraction = Math.min(streamedBytes / totalBytes, 1);
  const leftSeconds = Math.round((elapsedSeconds / fraction) * (1 - fraction));
  const amount = `${prettyBytes(streamedBytes)} of ${prettyBytes(totalBytes)}`;
  return `${phase}: ${Math.floor(fraction * 100)} %, ${amount}, ${leftSeconds} s left`;
}
