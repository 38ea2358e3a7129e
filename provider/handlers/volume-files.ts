import { connectEngine } from "../../operations/engine.ts";
import { messageOf } from "../../operations/errors.ts";
import { volumeFileDifferences, writeVolumeFiles } from "../../operations/volume-files.ts";
import type { Handler } from "../handler.ts";
import type { VolumeFilesInputs, VolumeFilesOutputs } from "../resources/volume-files.ts";

export const volumeFilesHandler: Handler<VolumeFilesInputs, VolumeFilesOutputs> = {
  secretOutputs: [],
  // The image only lends its file system to the helper container.
  ignoredInputs: ["image", "labels", "through"],
  replaceOn: ["volume"],
  drift: async (_state, inputs, { warn }) => {
    try {
      const differences = await volumeFileDifferences(connectEngine(), inputs, inputs.through);
      for (const { path, kind } of differences) {
        warn(`${path} was changed by hand (${kind}): it is written again`);
      }
      return differences.length > 0;
    } catch (error) {
      warn(`the files could not be compared: ${messageOf(error)}`);
      return false;
    }
  },
  create: async (inputs) => ({ id: inputs.volume, outputs: await write(inputs) }),
  update: async (_state, inputs) => write(inputs),
};

async function write(inputs: VolumeFilesInputs): Promise<VolumeFilesOutputs> {
  await writeVolumeFiles(connectEngine(), inputs);
  return { writtenAt: new Date().toISOString() };
}
