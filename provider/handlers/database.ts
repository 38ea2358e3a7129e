import { databaseDifference, ensureDatabase } from "../../operations/databases.ts";
import { noAnswer } from "../../operations/errors.ts";
import { findNodes } from "../../operations/node.ts";
import type { Handler, NoOutputs } from "../handler.ts";
import type { DatabaseInputs } from "../resources/database.ts";
import { recentAccess } from "./recently.ts";
import { unlessNobodyWrites } from "./unless-nobody-writes.ts";

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
  update: async (state, inputs, context) => {
    const { name, owner } = state;
    if (name !== inputs.name) context.log(`the database ${name} stays as it is; ${inputs.name} is made beside it`);
    const waiting = `the database ${inputs.name} is made, or given to its owner,`;
    const isDone = await unlessNobodyWrites(context, waiting, () => ensure(inputs));
    // The state goes on to tell what is there: the next update has the same to do.
    return isDone ? {} : { name, owner };
  },
};

async function ensure({ name, owner, ...marks }: DatabaseInputs): Promise<void> {
  await ensureDatabase(await findNodes(marks), name, owner);
}
