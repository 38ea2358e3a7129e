import { comeUp, comeUpOrBeHeld } from "../../operations/come-up.ts";
import { engineOf, inspectContainer, isReachable } from "../../operations/engine.ts";
import { messageOf } from "../../operations/errors.ts";
import { findNodes } from "../../operations/node.ts";
import { isRegistered, registerContainer } from "../../operations/registration.ts";
import { startServer, stopServer } from "../../operations/server.ts";
import { dropSlotEverywhere } from "../../operations/slots.ts";
import type { Context, Handler, NoOutputs } from "../handler.ts";
import type { ServerInputs } from "../resources/server.ts";

export const serverHandler: Handler<ServerInputs, NoOutputs> = {
  secretOutputs: [],
  // The topology brings files to a server that runs.
  ignoredInputs: ["operator", "serverFiles", "slot", "labels", "nodeLabel", "placed"],
  // One that is stopped or gone is the topology's affair: to start a primary that was replaced would make a second one,
  // and to fail for want of a dead one's container would hold up its failover.
  drift: async (_state, { node }, { warn }) => {
    try {
      const container = await inspectContainer(engineOf(node), node.container);
      if (container === undefined) {
        warn(
          `the container ${node.container} is gone: run \`pulumi up --refresh\`, which makes a new one around the same data`,
        );
      }
    } catch (error) {
      warn(`the container ${node.container} could not be looked at: ${messageOf(error)}`);
    }
    return false;
  },
  announce: async (state, inputs, { impact }) => {
    if (state.containerId === inputs.containerId) return;
    const { name } = state.node;
    const message = `the container of ${name} is replaced: its server stops cleanly, and starts in the new one`;
    impact({ level: "restart", nodes: [name], message });
  },
  create: async (inputs, context) => {
    await start(inputs, context);
    await comeUp({ ...inputs, ...context }, inputs.node, inputs.serverFiles);
    return { id: inputs.node.container, outputs: {} };
  },
  update: async (_state, inputs, context) => {
    await start(inputs, context);
    const end = await comeUpOrBeHeld({ ...inputs, ...context }, inputs.node, inputs.serverFiles);
    if (end === "held")
      context.warn(`the guard of ${inputs.node.name} keeps it from starting: the topology lets it rejoin`);
    return {};
  },
  delete: async ({ node, slot, ...marks }, { warn }) => {
    if (await isReachable(node)) await stopServer(node);
    else warn(`${node.container} on ${node.host?.name} is not stopped: the engine there does not answer`);
    // One that was the primary has no base backup whose delete would do it.
    if (slot !== undefined) await dropSlotEverywhere(await findNodes(marks), slot);
  },
};

async function start({ node }: ServerInputs, { status }: Context): Promise<void> {
  const docker = engineOf(node);
  await startServer(node);
  if (!(await isRegistered(docker, node.container))) await registerContainer(docker, node.container);
  status(`waits until ${node.name} takes connections`);
}
