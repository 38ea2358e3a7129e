import { checkpointBeforeStop, untilReplaced } from "../../operations/container-turn.ts";
import type { Handler, NoOutputs } from "../handler.ts";
import type { ContainerTurnInputs } from "../resources/container-turn.ts";

export const containerTurnHandler: Handler<ContainerTurnInputs, NoOutputs> = {
  secretOutputs: [],
  // Whom a container would wait for matters only when it is replaced.
  ignoredInputs: ["after", "operator", "labels", "nodeLabel", "placed"],
  announce: async (_state, { node, after }, { log }) => {
    const names = after.map((earlier) => earlier.node.name).join(", ");
    log(names === "" ? `${node.name} is replaced first` : `${node.name} waits its turn, after ${names}`);
  },
  create: async ({ node }) => {
    joined.add(node.container);
    return { id: node.container, outputs: {} };
  },
  update: async (_state, { node, label, after, operator, ...marks }, { status, warn, signal }) => {
    for (const earlier of after) {
      if (!joined.has(earlier.node.container)) {
        await untilReplaced({ marks, operator, label, status, warn, signal }, earlier);
      }
    }
    status(`${node.name} writes a checkpoint before its container is replaced`);
    await checkpointBeforeStop(node);
    return {};
  },
};

/** Containers that are made for the first time by this update: they need this node's server, and it must not wait for them. */
const joined = new Set<string>();
