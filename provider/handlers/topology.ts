import type pg from "pg";
import { converge } from "../../operations/converge.ts";
import { connectEngine } from "../../operations/engine.ts";
import { OperationError, messageOf } from "../../operations/errors.ts";
import { askBeforeChange, changedParameters, impactLines } from "../../operations/impact.ts";
import { settledFindings } from "../../operations/settled-findings.ts";
import { withOperator } from "../../operations/sql.ts";
import type { Context, Handler } from "../handler.ts";
import { refuseProtected } from "../protected-volumes.ts";
import type { TopologyInputs, TopologyOutputs } from "../resources/topology.ts";

export const topologyHandler: Handler<TopologyInputs, TopologyOutputs> = {
  secretOutputs: [],
  ignoredInputs: ["operator"],
  drift: async (_state, shape, { warn, signal }) => {
    try {
      const found = await settledFindings(connectEngine(), shape, signal);
      for (const { node, what, remedy } of found) warn(`${node}: ${what}${remedy === null ? "" : `: ${remedy}`}`);
      return found.length > 0;
    } catch (error) {
      warn(`the servers could not be looked at: ${messageOf(error)}`);
      return false;
    }
  },
  announce: async (state, inputs, { log }) => {
    const names = changedParameters(state.nodes, inputs.nodes);
    const live = await firstAnswer(state, (client) => askBeforeChange(client, names));
    if (live === undefined) log("what this means for the servers cannot be told: none of them answers");
    else for (const line of impactLines(state.nodes, inputs, live)) log(line);
  },
  create: async (inputs, context) => {
    const verified = await run(inputs, context);
    return { id: verified.systemIdentifier, outputs: verified };
  },
  update: async (_state, inputs, context) => run(inputs, context),
  // Of all that is destroyed this comes first, while every server still runs.
  delete: async (_state, { stack }) => refuseProtected(stack),
};

/** Of the nodes as they are, the first that answers. */
async function firstAnswer<T>(shape: TopologyInputs, ask: (client: pg.Client) => Promise<T>): Promise<T | undefined> {
  for (const node of shape.nodes) {
    try {
      return await withOperator(connectEngine(), node, shape.operator, ask);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
    }
  }
  return undefined;
}

function run(shape: TopologyInputs, { signal, log, status }: Context): Promise<TopologyOutputs> {
  status("waits until every standby streams");
  return converge({ docker: connectEngine(), shape, log, signal });
}
