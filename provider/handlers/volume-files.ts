import { messageOf } from "../../operations/errors.ts";
import { endsAgainAndAgain } from "../../operations/server.ts";
import { fileChange, filesBeforeStart, spoiledFiles } from "../../operations/server-files.ts";
import { fileDifferences, writeVolumeFiles } from "../../operations/volume-files.ts";
import type { FoundFiles, VolumeContents, VolumeFile } from "../../operations/volume-files.ts";
import type { Context, Handler } from "../handler.ts";
import type { VolumeFilesInputs, VolumeFilesOutputs } from "../resources/volume-files.ts";
import { recentFiles } from "./recently.ts";

export const volumeFilesHandler: Handler<VolumeFilesInputs, VolumeFilesOutputs> = {
  secretOutputs: [],
  // The image only lends its file system to the helper container; Topology brings the files of a server.
  ignoredInputs: ["host", "image", "labels", "through", "serverFiles"],
  replaceOn: ["volume"],
  drift: async (_state, inputs, { drift, warn, recently }) => {
    try {
      const found = await recentFiles({ recently }, inputs, inputs.through);
      const changed = fileDifferences(inputs.files, found, inputs.uid);
      const spoiled = spoiledFiles(serverFilesOf(inputs), found);
      const messages = [
        ...changed.map(({ path, kind }) => `${path} was changed by hand (${kind}): it is written again`),
        ...spoiled.map(
          ({ path, kind }) =>
            `${path} was changed by hand, or by an update that was interrupted (${kind}): it is written again`,
        ),
      ];
      for (const message of messages) drift({ level: "reload", nodes: [], message });
      await tellMended(inputs, found, drift);
      return changed.length + spoiled.length > 0;
    } catch (error) {
      warn(`the files could not be compared: ${messageOf(error)}`);
      return false;
    }
  },
  create: async (inputs) => ({ id: inputs.volume, outputs: await write(inputs) }),
  update: async (_state, inputs) => write(inputs),
};

/** Not before its turn, unless it would never come. */
async function tellMended(inputs: VolumeFilesInputs, found: FoundFiles, drift: Context["drift"]): Promise<void> {
  const { parameters, accessRules } = fileChange(serverFilesOf(inputs), found);
  const changed = [...parameters, ...(accessRules ? ["access rules"] : [])].join(", ");
  if (changed === "" || !(await endsAgainAndAgain({ ...inputs, container: inputs.through }))) return;
  const message = `the server of ${inputs.through} ends with the files that it has: it is started with those of the stack file (${changed})`;
  drift({ level: "restart", nodes: [], message });
}

async function write(inputs: VolumeFilesInputs): Promise<VolumeFilesOutputs> {
  const besides =
    inputs.serverFiles.length === 0
      ? undefined
      : (found: FoundFiles): VolumeFile[] => filesBeforeStart(serverFilesOf(inputs), found);
  await writeVolumeFiles(inputs, besides);
  return { writtenAt: new Date().toISOString() };
}

const serverFilesOf = (inputs: VolumeFilesInputs): VolumeContents => ({ ...inputs, files: inputs.serverFiles });
