import { checkParameters } from "../../operations/check-parameters.ts";
import { OperationError } from "../../operations/errors.ts";
import type { Handler, NoOutputs } from "../handler.ts";
import type { ParameterCheckInputs } from "../resources/parameter-check.ts";
import { sameValue } from "../values.ts";

/** A refusal is a failed check, so that a preview shows it too; what was taken once is not asked again. */
export const parameterCheckHandler: Handler<ParameterCheckInputs, NoOutputs> = {
  secretOutputs: [],
  ignoredInputs: ["host", "job", "labels"],
  check: async (inputs, before) => {
    if (sameValue(inputs, before)) return [];
    return (await refusals(inputs)).map((words) => `the server refuses a parameter of the stack file: ${words}.`);
  },
  create: async (inputs) => {
    await requireTaken(inputs);
    return { id: inputs.job, outputs: {} };
  },
  update: async (_state, inputs) => {
    await requireTaken(inputs);
    return {};
  },
};

async function requireTaken(inputs: ParameterCheckInputs): Promise<void> {
  const words = await refusals(inputs);
  if (words.length > 0)
    throw new OperationError(`the server refuses parameters of the stack file: ${words.join("; ")}.`);
}

/** Scripts that the server took since this process began: an update checks first and creates a moment later. */
const taken = new Set<string>();

async function refusals(inputs: ParameterCheckInputs): Promise<readonly string[]> {
  if (taken.has(inputs.script)) return [];
  const answer = await checkParameters(inputs);
  if (answer === "taken") taken.add(inputs.script);
  return Array.isArray(answer) ? answer : [];
}
