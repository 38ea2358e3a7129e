import type Docker from "dockerode";
import { planBootstrap } from "../../operations/bootstrap.ts";
import { idleAcknowledgements, refusedLosses, spentAfter } from "../../operations/data-loss.ts";
import { connectEngine, engineOf, requireEngine, unlessMissing } from "../../operations/engine.ts";
import { OperationError, messageOf } from "../../operations/errors.ts";
import { ensureImage } from "../../operations/image.ts";
import { isDataGone } from "../../operations/node-data.ts";
import { describeObject, removeObjects, stackObjects } from "../../operations/orphans.ts";
import type { StackObject } from "../../operations/orphans.ts";
import { engineProblems } from "../../operations/preflight.ts";
import { refusedChanges } from "../../operations/refused-changes.ts";
import type { Context, Handler, NoOutputs } from "../handler.ts";
import type { DockerEngineInputs } from "../resources/docker-engine.ts";

export const dockerEngineHandler: Handler<DockerEngineInputs, NoOutputs> = {
  secretOutputs: [],
  // They are looked at in every check: there is nothing to be done about them here.
  ignoredInputs: [
    "projectDirectory",
    "scratchLabel",
    "primary",
    "dataMount",
    "dataDirectory",
    "ports",
    "dataVolumes",
    "irreplaceableVolumes",
    "synchronousStandbys",
    "acknowledge",
    "environment",
    "acknowledgement",
    "guarantee",
    "spent",
    "deletionProtection",
    "bootstrap",
  ],
  remember: (inputs, before) => ({ spent: spentAfter(before, inputs) }),
  check: async (inputs, before, { warn, log }) => {
    for (const line of idleAcknowledgements(before, inputs)) warn(line);
    const docker = connectEngine();
    try {
      await requireEngine();
      const refused =
        before === undefined
          ? await foreignServers(docker, inputs)
          : [...(await refusedChanges(before, inputs)), ...(await refusedLosses(before, inputs))];
      return [...refused, ...(await engineProblems(docker, inputs)), ...(await bootstrapProblems(inputs, log))];
    } catch (error) {
      return [messageOf(error)];
    }
  },
  drift: async (_state, inputs, { warn }) => {
    const left = await orphans(connectEngine(), inputs);
    if (left.length === 0) return false;
    warn(`left by an interrupted update, to be removed: ${left.map(describeObject).join(", ")}. Volumes stay.`);
    return true;
  },
  create: async (inputs, context) => {
    const docker = connectEngine();
    // Before this resource is in the state, no container or network of the stack is.
    await removeObjects(docker, await stackObjects(docker, inputs));
    await prepare(docker, inputs, context);
    return { id: inputs.network.name, outputs: {} };
  },
  update: async (_state, inputs, context) => {
    const docker = connectEngine();
    await removeObjects(docker, await orphans(docker, inputs));
    await prepare(docker, inputs, context);
    return {};
  },
};

/** Whether the backups that the cluster is to be founded from are there, reach the target, and fit. */
async function bootstrapProblems({ bootstrap }: DockerEngineInputs, log: Context["log"]): Promise<string[]> {
  if (!bootstrap) return [];
  const { node, image, stack, at } = bootstrap;
  // Without the image nothing can be looked at: the same is asked again before anything is founded.
  if ((await unlessMissing(engineOf(node).getImage(image).inspect())) === undefined) return [];
  if (!(await isDataGone(bootstrap))) return [];
  const { backup } = await planBootstrap(bootstrap);
  const upTo = at === null ? "with all WAL there is" : `up to ${at}`;
  log(`${node.name} is founded from the backup ${backup.id} of the stack ${stack}, ${upTo}`);
  return [];
}

/** What was not known before the image was here is checked again once it is. */
async function prepare(docker: Docker, inputs: DockerEngineInputs, { status }: Context): Promise<void> {
  for (const image of inputs.images) await ensureImage(docker, image, status);
  const problems = await engineProblems(docker, inputs);
  if (problems.length > 0) throw new OperationError(problems.join("\n"));
}

/**
 * Objects of the stack that its state does not know. The state is read only when there is something to suspect: on an
 * engine that no update was interrupted on, there is not.
 */
async function orphans(docker: Docker, inputs: DockerEngineInputs): Promise<StackObject[]> {
  const suspects = (await stackObjects(docker, inputs)).filter((object) => !object.registered);
  if (suspects.length === 0) return [];
  // Loaded only now: it starts processes, and most updates never need it.
  const { knownIds } = await import("../../operations/pulumi-state.ts");
  const known = await knownIds(inputs);
  return suspects.filter((object) => !known.has(object.id));
}

/** Servers that an update has brought up, and that this state knows nothing of: it is not the one that made them. */
async function foreignServers(docker: Docker, inputs: DockerEngineInputs): Promise<string[]> {
  const objects = await stackObjects(docker, inputs);
  const foreign = objects.filter((object) => object.kind === "container" && object.registered);
  if (foreign.length === 0) return [];
  return [
    `the engine runs this stack already, and this state knows nothing of it: ${foreign.map(describeObject).join(", ")}. ` +
      "Select the backend that holds its state. If that state is lost, `npm run recover` removes the containers and keeps the data, and the next update takes it over.",
  ];
}
