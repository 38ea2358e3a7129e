import { ensureBuiltImage } from "../../operations/built-image.ts";
import { engineOf } from "../../operations/engine.ts";
import { messageOf } from "../../operations/errors.ts";
import { hasImage } from "../../operations/image.ts";
import type { Handler, NoOutputs } from "../handler.ts";
import type { HostImageInputs } from "../resources/host-image.ts";

export const hostImageHandler: Handler<HostImageInputs, NoOutputs> = {
  secretOutputs: [],
  ignoredInputs: ["host", "base", "folder"],
  drift: async (_state, inputs, { warn }) => {
    try {
      if (await hasImage(engineOf(inputs), inputs.image)) return false;
      warn(`the image ${inputs.image} is gone from ${inputs.host.name}: it is brought there again`);
      return true;
    } catch (error) {
      warn(`the image ${inputs.image} could not be looked for: ${messageOf(error)}`);
      return false;
    }
  },
  create: async (inputs, { status }) => {
    await ensureBuiltImage(inputs, status);
    return { id: inputs.image, outputs: {} };
  },
  update: async (_state, inputs, { status }) => {
    await ensureBuiltImage(inputs, status);
    return {};
  },
};
