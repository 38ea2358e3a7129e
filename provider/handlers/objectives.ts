import { OperationError, messageOf } from "../../operations/errors.ts";
import { missedObjectives, missedReplayLag, replayLags, untilCaughtUp } from "../../operations/objectives.ts";
import type { Measured } from "../../operations/objectives.ts";
import type { Context, Handler, NoOutputs } from "../handler.ts";
import type { ObjectivesInputs } from "../resources/objectives.ts";

export const objectivesHandler: Handler<ObjectivesInputs, NoOutputs> = {
  secretOutputs: [],
  // They are asked every time.
  ignoredInputs: ["nodes", "standbys"],
  drift: async (_state, inputs, { drift, warn }) => {
    const missed = [...missedObjectives(inputs.objectives, measuredOf(inputs)), ...(await lagMissedNow(inputs, warn))];
    for (const message of missed) drift({ level: inputs.enforce ? "refused" : "none", nodes: [], message });
    return inputs.enforce && missed.length > 0;
  },
  create: async (inputs, context) => {
    await run(inputs, context);
    return { id: "objectives", outputs: {} };
  },
  update: async (_state, inputs, context) => {
    await run(inputs, context);
    return {};
  },
};

/** The engine takes a null for nothing at all. */
const measuredOf = ({ lastDrill, lastSwitchover, lastRestart }: ObjectivesInputs): Measured => ({
  drill: lastDrill ?? null,
  switchover: lastSwitchover ?? null,
  restart: lastRestart ?? null,
});

async function lagMissedNow(
  { objectives, nodes, standbys }: ObjectivesInputs,
  warn: (message: string) => void,
): Promise<string[]> {
  if ((objectives.maxReplayLagBytes ?? null) === null) return [];
  try {
    return missedReplayLag(objectives, await replayLags(nodes, standbys));
  } catch (error) {
    warn(`the replay lag could not be measured: ${messageOf(error)}`);
    return [];
  }
}

async function run(inputs: ObjectivesInputs, { warn, status, signal }: Context): Promise<void> {
  const { objectives, enforce, nodes, standbys } = inputs;
  status("measures the replay lag");
  const missed = [
    ...missedObjectives(objectives, measuredOf(inputs)),
    ...(await untilCaughtUp(objectives, nodes, standbys, signal)),
  ];
  if (missed.length === 0) return;
  if (enforce) {
    throw new OperationError(
      `${missed.join("\n")}\nAll else of this update is done. Mend the cause, change \`objectives\`, or set \`enforce: false\` in it to be warned only.`,
    );
  }
  for (const what of missed) warn(what);
}
