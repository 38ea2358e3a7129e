import { converge } from "../../operations/converge.ts";
import { silentHosts } from "../../operations/engine.ts";
import { messageOf } from "../../operations/errors.ts";
import { levelOf } from "../../operations/findings.ts";
import type { FindingKind } from "../../operations/findings.ts";
import { foreseeRejoinsTo } from "../../operations/foresee-rejoins.ts";
import { guaranteeUntilNow } from "../../operations/failover.ts";
import { impacts, lookBeforeChange } from "../../operations/impact.ts";
import type { Impact } from "../../operations/impact.ts";
import { leftOverHold } from "../../operations/left-over-hold.ts";
import { roleImpact } from "../../operations/role-impact.ts";
import type { RoleImpact } from "../../operations/role-impact.ts";
import type { RoleAcknowledgement } from "../../operations/role-environment.ts";
import { settledFindings } from "../../operations/settled-findings.ts";
import { primaryOf, retiredSlots } from "../../operations/topology.ts";
import type { ShapedNode } from "../../operations/topology.ts";
import type { readVolumeFiles } from "../../operations/volume-files.ts";
import type { Context, Handler } from "../handler.ts";
import { refuseProtected } from "../protected-volumes.ts";
import type { TopologyInputs, TopologyOutputs } from "../resources/topology.ts";
import { recentFiles } from "./recently.ts";

export const topologyHandler: Handler<TopologyInputs, TopologyOutputs> = {
  secretOutputs: [],
  ignoredInputs: ["environment", "acknowledgement", "retiredSlots"],
  reachedBy: ["operator"],
  // Only what was there can tell whose a slot is that nobody needs: others may be a tool's of the operator's.
  remember: (inputs, before) => ({ retiredSlots: retiredSlots(inputs, before) }),
  drift: async (state, shape, context) => {
    const [isFound, left] = await Promise.all([
      tellFindings(shape, shape.acknowledgement, context),
      changesToCome(state, shape, context),
    ]);
    for (const impact of left ?? []) {
      context.drift({ ...impact, message: `not yet, or no longer, as the stack file says: ${impact.message}` });
    }
    return isFound || (left ?? []).length > 0;
  },
  announce: async (state, inputs, context) => {
    const [coming] = await Promise.all([
      changesToCome(state, inputs, context),
      primaryOf(inputs)?.name === state.primary
        ? tellFindings(withParametersOf(state, inputs), inputs.acknowledgement, context)
        : announceRoles(state, inputs, context),
    ]);
    const unknown: Impact = {
      level: "unknown",
      nodes: state.nodes.map((node) => node.name),
      message: "what this means for the servers cannot be told: none of them answers",
    };
    for (const impact of coming ?? [unknown]) context.impact(impact);
  },
  create: async (inputs, context) => {
    const outputs = await run(inputs, undefined, context);
    return { id: outputs.systemIdentifier, outputs };
  },
  update: async (state, inputs, context) => run(inputs, state, context),
  // Of all that is destroyed this comes first, while every server still runs.
  delete: async ({ nodes }, { stack, warn }) => {
    await refuseProtected(stack);
    for (const name of await silentHosts(nodes)) {
      warn(`${name} does not answer. \`npm run destroy\` removes everything else, and lists what is left there.`);
    }
  },
};

/** A node of which this is told may have gone another way than the primary, and not be able to follow it. */
const MAY_HAVE_PARTED: ReadonlySet<FindingKind> = new Set([
  "container-stopped",
  "held-by-guard",
  "no-answer",
  "not-streaming",
]);

/** @returns whether there is anything to tell. */
async function tellFindings(
  shape: TopologyInputs,
  acknowledgement: RoleAcknowledgement,
  { drift, log, signal }: Context,
): Promise<boolean> {
  try {
    const settled = await settledFindings(shape, signal);
    const found = [...settled, ...(settled.length === 0 ? await leftOverHold(shape, shape.environment) : [])];
    for (const finding of found) {
      const { node, what, remedy } = finding;
      const message = `${node}: ${what}${remedy === null ? "" : `: ${remedy}`}`;
      drift({ level: levelOf(finding), nodes: [node], message });
    }
    if (found.some(({ kind }) => MAY_HAVE_PARTED.has(kind))) {
      const context = { environment: shape.environment, acknowledgement, log, signal };
      for (const { node, line, isRefused } of await foreseeRejoinsTo(context, primaryOf(shape)?.name ?? ""))
        drift({ level: isRefused ? "refused" : "restart", nodes: [node], message: line });
    }
    return found.length > 0;
  } catch (error) {
    const message = `the servers could not be looked at: ${messageOf(error)}`;
    drift({ level: "unknown", nodes: shape.nodes.map((node) => node.name), message });
    return false;
  }
}

/**
 * What else is not as it was before is told beside a switchover. Where the primary does not answer it is part of that
 * story; and one that was promoted by hand is followed by nobody yet.
 */
async function announceRoles(state: TopologyInputs, inputs: TopologyInputs, context: Context): Promise<void> {
  const { impact, decided } = await foreseenRoleImpact(state, inputs, context);
  context.impact(impact);
  if (decided === "switchover") await tellFindings(withParametersOf(state, inputs), inputs.acknowledgement, context);
}

/** A preview ends whatever the servers are like. */
async function foreseenRoleImpact(
  state: TopologyInputs,
  inputs: TopologyInputs,
  { log, signal }: Context,
): Promise<RoleImpact> {
  const { environment, acknowledgement } = inputs;
  const nodes = inputs.nodes.map((node) => node.name);
  try {
    const context = { environment, acknowledgement, log, signal };
    return await roleImpact(
      context,
      primaryOf(inputs)?.name ?? "",
      guaranteeUntilNow(state.guarantee, inputs.whenStandbyMissing),
      state.environment.jobs,
    );
  } catch (error) {
    const message = `what this means for the roles cannot be told: ${messageOf(error)}`;
    return { impact: { level: "unknown", nodes, message }, decided: null };
  }
}

/** undefined: no server answers. */
async function changesToCome(
  state: TopologyInputs & TopologyOutputs,
  inputs: TopologyInputs,
  context: Context,
): Promise<Impact[] | undefined> {
  const read: typeof readVolumeFiles = (contents, through) => recentFiles(context, contents, through);
  const live = await lookBeforeChange(state.nodes, inputs, read);
  if (live.parameters.size === 0) return undefined;
  return impacts(state.nodes, inputs, live, state.lastRestart?.writeGapMs ?? null);
}

/** The topology as it was, judged by the parameters that it is about to get. */
function withParametersOf(state: TopologyInputs, { nodes }: TopologyInputs): TopologyInputs {
  const parametersOf = (node: ShapedNode): ShapedNode["parameters"] =>
    nodes.find(({ name }) => name === node.name)?.parameters ?? node.parameters;
  return { ...state, nodes: state.nodes.map((node) => ({ ...node, parameters: parametersOf(node) })) };
}

/** @param before as the last update left it: what the primary waited for until now, not what it shall wait for. */
async function run(
  inputs: TopologyInputs,
  before: (TopologyInputs & TopologyOutputs) | undefined,
  { signal, log, status }: Context,
): Promise<TopologyOutputs> {
  status("waits until every standby streams");
  const { restarted, switchover, ...verified } = await converge({
    shape: inputs,
    primaryBefore: before?.primary ?? null,
    // Nodes that leave with this update, too: one of them may be the primary.
    environment: { ...inputs.environment, jobs: { ...before?.environment.jobs, ...inputs.environment.jobs } },
    acknowledgement: inputs.acknowledgement,
    guarantee: guaranteeUntilNow(before?.guarantee, inputs.whenStandbyMissing),
    whenStandbyMissing: inputs.whenStandbyMissing,
    log,
    signal,
  });
  return {
    ...verified,
    lastRestart: restarted ?? before?.lastRestart ?? null,
    lastSwitchover: switchover ?? before?.lastSwitchover ?? null,
  };
}
