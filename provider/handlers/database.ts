import { databaseDifference, ensureDatabase } from "../../operations/databases.ts";
import { noAnswer } from "../../operations/errors.ts";
import { findNodes } from "../../operations/node.ts";
import type { Handler, NoOutputs } from "../handler.ts";
import type { DatabaseInputs } from "../resources/database.ts";
import { recentAccess } from "./recently.ts";

export const databaseHandler: Handler<DatabaseInputs, NoOutputs> = {
  secretOutputs: [],
  ignoredInputs: ["labels", "nodeLabel", "placed"],
  drift: async (_state, { name, owner, ...marks }, context) => {
    const access = await recentAccess(context, marks).catch(noAnswer);
    const difference = access && databaseDifference(access.owners.get(name), owner);
    if (difference === undefined) return false;
    context.drift({ level: "reload", nodes: [], message: `the database ${name} ${difference}` });
    return true;
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

async function ensure({ name, owner, ...marks }: DatabaseInputs): Promise<void> {
  await ensureDatabase(await findNodes(marks), name, owner);
}
