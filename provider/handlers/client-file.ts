import { mkdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Handler, NoOutputs } from "../handler.ts";
import type { ClientFileInputs } from "../resources/client-file.ts";

export const clientFileHandler: Handler<ClientFileInputs, NoOutputs> = {
  secretOutputs: [],
  drift: async (_state, { path, content }) => (await readFile(path, "utf8").catch(() => undefined)) !== content,
  create: async (inputs) => {
    await write(inputs);
    return { id: inputs.path, outputs: {} };
  },
  update: async (state, inputs) => {
    if (state.path !== inputs.path) await remove(state.path);
    await write(inputs);
    return {};
  },
  delete: async ({ path }) => remove(path),
};

async function write({ path, content }: ClientFileInputs): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

/** With the last file goes its folder, and the folder above that if it was the last stack's. */
async function remove(path: string): Promise<void> {
  await rm(path, { force: true });
  await rmdir(dirname(path)).catch(() => undefined);
  await rmdir(dirname(dirname(path))).catch(() => undefined);
}
