import { backupPlaceNote } from "../../operations/backup-place.ts";
import { planBootstrap } from "../../operations/bootstrap.ts";
import {
  idleAcknowledgements,
  refusedLosses,
  spentAfter,
  standingAcknowledgements,
} from "../../operations/data-loss.ts";
import { placesOf } from "../../operations/docker-host.ts";
import type { OnHost } from "../../operations/docker-host.ts";
import { engineOf, requireEngine, unlessMissing } from "../../operations/engine.ts";
import { OperationError, messageOf } from "../../operations/errors.ts";
import { hostFitness } from "../../operations/host-fitness.ts";
import { ensureImage } from "../../operations/image.ts";
import { isDataGone } from "../../operations/node-data.ts";
import { leftOnNewHosts } from "../../operations/left-on-new-hosts.ts";
import { describeObject, removeObjects, stackObjects } from "../../operations/orphans.ts";
import type { StackObject } from "../../operations/orphans.ts";
import { engineProblems } from "../../operations/preflight.ts";
import { refusedChanges } from "../../operations/refused-changes.ts";
import type { Context, Handler, NoOutputs } from "../handler.ts";
import type { DockerEngineInputs } from "../resources/docker-engine.ts";
import { recentAccess } from "./recently.ts";

export const dockerEngineHandler: Handler<DockerEngineInputs, NoOutputs> = {
  secretOutputs: [],
  // They are looked at in every check: there is nothing to be done about them here.
  ignoredInputs: [
    "projectDirectory",
    "scratchLabel",
    "primary",
    "backupServer",
    "placed",
    "dataMount",
    "dataDirectory",
    "ports",
    "addresses",
    "dataVolumes",
    "irreplaceableVolumes",
    "synchronousStandbys",
    "acknowledge",
    "environment",
    "acknowledgement",
    "guarantee",
    "whenStandbyMissing",
    "spent",
    "deletionProtection",
    "turns",
    "logins",
    "bootstrap",
  ],
  remember: (inputs, before) => ({ spent: spentAfter(before, inputs) }),
  check: async (inputs, before, { warn, log }) => {
    for (const line of idleAcknowledgements(before, inputs)) warn(line);
    for (const line of standingAcknowledgements(before, inputs)) warn(line);
    try {
      const { answering, silent } = await askEngines(inputs);
      const known = new Set(before?.hosts?.map(({ name }) => name));
      const needed = silent.filter(({ host }) => host === undefined || !known.has(host.name));
      if (needed.length > 0) return needed.map(({ why }) => why);
      for (const { why } of silent) warn(`${why} What needs this host fails, all else goes on.`);
      const note = backupPlaceNote(before, inputs);
      if (note !== undefined) (note.isShared ? warn : log)(note.message);
      const [refused, fitness, problems, bootstrap] = await Promise.all([
        before === undefined ? foreignServers(inputs) : refusedUpdate(before, inputs, answering),
        Promise.all(answering.map(hostFitness)),
        Promise.all(answering.map((on) => engineProblems(on, inputs))),
        bootstrapProblems(inputs, log),
      ]);
      for (const warning of fitness.flatMap(({ warnings }) => warnings)) warn(warning);
      return [...refused, ...fitness.flatMap((host) => host.problems), ...problems.flat(), ...bootstrap];
    } catch (error) {
      return [messageOf(error)];
    }
  },
  drift: async (_state, inputs, { drift, recently }) => {
    // The engine compares this resource first: those that ask the same find the answer on its way, or what went wrong.
    recentAccess({ recently }, inputs.environment).catch(() => undefined);
    const left = await orphans(inputs);
    if (left.length === 0) return false;
    const message = `left by an interrupted update, to be removed: ${left.map(describeObject).join(", ")}. Volumes stay.`;
    drift({ level: "none", nodes: [], message });
    return true;
  },
  create: async (inputs, context) => {
    // Before this resource is in the state, no container or network of the stack is.
    await removeObjects(await stackObjects(inputs));
    await prepare(inputs, context);
    return { id: inputs.network.name, outputs: {} };
  },
  update: async (_state, inputs, context) => {
    await removeObjects(await orphans(inputs));
    await prepare(inputs, context);
    return {};
  },
};

/** What an update may not do to what the last one left. */
async function refusedUpdate(
  before: DockerEngineInputs,
  inputs: DockerEngineInputs,
  answering: readonly OnHost[],
): Promise<string[]> {
  const refused = await Promise.all([
    refusedChanges(before, inputs),
    refusedLosses(before, inputs),
    leftOnNewHosts(before, inputs, answering),
  ]);
  return refused.flat();
}

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
async function prepare(inputs: DockerEngineInputs, { status }: Context): Promise<void> {
  const { answering } = await askEngines(inputs);
  const problems = await Promise.all(
    answering.map(async (on) => {
      for (const image of inputs.images) await ensureImage(on, image, status);
      return engineProblems(on, inputs);
    }),
  );
  if (problems.flat().length > 0) throw new OperationError(problems.flat().join("\n"));
}

interface Engines {
  readonly answering: readonly OnHost[];
  readonly silent: readonly (OnHost & { readonly why: string })[];
}

/** Side by side: one that does not answer takes some seconds to tell. */
async function askEngines(inputs: DockerEngineInputs): Promise<Engines> {
  const asked = await Promise.all(
    placesOf(inputs).map((on) =>
      requireEngine(on).then(
        () => ({ ...on, why: null }),
        (error: unknown) => ({ ...on, why: messageOf(error) }),
      ),
    ),
  );
  return {
    answering: asked.flatMap(({ why, ...on }) => (why === null ? [on] : [])),
    silent: asked.flatMap(({ why, ...on }) => (why === null ? [] : [{ ...on, why }])),
  };
}

/**
 * Objects of the stack that its state does not know. The state is read only when there is something to suspect: on an
 * engine that no update was interrupted on, there is not.
 */
async function orphans(inputs: DockerEngineInputs): Promise<StackObject[]> {
  const { answering } = await askEngines(inputs);
  const hosts = answering.flatMap(({ host }) => host ?? []);
  const objects = await stackObjects(inputs.hosts === undefined ? inputs : { ...inputs, hosts });
  const suspects = objects.filter((object) => !object.registered);
  if (suspects.length === 0) return [];
  // Loaded only now: it starts processes, and most updates never need it.
  const { knownIds } = await import("../../operations/pulumi-state.ts");
  const known = await knownIds(inputs);
  return suspects.filter((object) => !known.has(object.id));
}

/** Servers that an update has brought up, and that this state knows nothing of: it is not the one that made them. */
async function foreignServers(inputs: DockerEngineInputs): Promise<string[]> {
  const objects = await stackObjects(inputs);
  const foreign = objects.filter((object) => object.kind === "container" && object.registered);
  if (foreign.length === 0) return [];
  return [
    `the engine runs this stack already, and this state knows nothing of it: ${foreign.map(describeObject).join(", ")}. ` +
      "Select the backend that holds its state. If that state is lost, `npm run recover` removes the containers and keeps the data, and the next update takes it over.",
  ];
}
