import type pg from "pg";
import type { LastRestart } from "../../operations/apply-configuration.ts";
import { converge } from "../../operations/converge.ts";
import { connectEngine } from "../../operations/engine.ts";
import { OperationError, messageOf } from "../../operations/errors.ts";
import { levelOf } from "../../operations/findings.ts";
import { askBeforeChange, changedParameters, impacts } from "../../operations/impact.ts";
import type { Impact } from "../../operations/impact.ts";
import { settledFindings } from "../../operations/settled-findings.ts";
import { withOperator } from "../../operations/sql.ts";
import type { Context, Handler } from "../handler.ts";
import { refuseProtected } from "../protected-volumes.ts";
import type { TopologyInputs, TopologyOutputs } from "../resources/topology.ts";

export const topologyHandler: Handler<TopologyInputs, TopologyOutputs> = {
  secretOutputs: [],
  ignoredInputs: ["operator"],
  drift: async (_state, shape, context) => tellFindings(shape, context),
  announce: async (state, inputs, context) => {
    await tellFindings(state, context);
    const names = changedParameters(state.nodes, inputs.nodes);
    const live = await firstAnswer(state, (client) => askBeforeChange(client, names));
    const unknown: Impact = {
      level: "unknown",
      nodes: state.nodes.map((node) => node.name),
      message: "what this means for the servers cannot be told: none of them answers",
    };
    const gap = state.lastRestart?.writeGapMs ?? null;
    for (const impact of live === undefined ? [unknown] : impacts(state.nodes, inputs, live, gap))
      context.impact(impact);
  },
  create: async (inputs, context) => {
    const outputs = await run(inputs, null, context);
    return { id: outputs.systemIdentifier, outputs };
  },
  update: async (state, inputs, context) => run(inputs, state.lastRestart ?? null, context),
  // Of all that is destroyed this comes first, while every server still runs.
  delete: async (_state, { stack }) => refuseProtected(stack),
};

/** @returns whether there is anything to tell. */
async function tellFindings(shape: TopologyInputs, { drift, warn, signal }: Context): Promise<boolean> {
  try {
    const found = await settledFindings(connectEngine(), shape, signal);
    for (const finding of found) {
      const { node, what, remedy } = finding;
      const message = `${node}: ${what}${remedy === null ? "" : `: ${remedy}`}`;
      drift({ level: levelOf(finding), nodes: [node], message });
    }
    return found.length > 0;
  } catch (error) {
    warn(`the servers could not be looked at: ${messageOf(error)}`);
    return false;
  }
}

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

async function run(
  shape: TopologyInputs,
  lastRestart: LastRestart | null,
  { signal, log, status }: Context,
): Promise<TopologyOutputs> {
  status("waits until every standby streams");
  const { restarted, ...verified } = await converge({ docker: connectEngine(), shape, log, signal });
  return { ...verified, lastRestart: restarted ?? lastRestart };
}
