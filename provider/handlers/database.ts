import { databaseDifference, ensureDatabase } from "../../operations/databases.ts";
import { connectEngine } from "../../operations/engine.ts";
import { OperationError } from "../../operations/errors.ts";
import { findNodes } from "../../operations/node.ts";
import type { Handler, NoOutputs } from "../handler.ts";
import type { DatabaseInputs } from "../resources/database.ts";

export const databaseHandler: Handler<DatabaseInputs, NoOutputs> = {
  secretOutputs: [],
  ignoredInputs: ["labels", "nodeLabel"],
  drift: async (_state, { name, owner, labels, nodeLabel }, { drift }) => {
    const docker = connectEngine();
    try {
      const difference = await databaseDifference(docker, await findNodes(docker, labels, nodeLabel), name, owner);
      if (difference === undefined) return false;
      drift({ level: "reload", nodes: [], message: `the database ${name} ${difference}` });
      return true;
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      return false;
    }
  },
  create: async (inputs) => {
    await ensure(inputs);
    return { id: inputs.name, outputs: {} };
  },
  update: async (_state, inputs, { log }) => {
    if (_state.name !== inputs.name)
      log(`the database ${_state.name} stays as it is; ${inputs.name} is made beside it`);
    await ensure(inputs);
    return {};
  },
};

async function ensure({ name, owner, labels, nodeLabel }: DatabaseInputs): Promise<void> {
  const docker = connectEngine();
  await ensureDatabase(docker, await findNodes(docker, labels, nodeLabel), name, owner);
}
