import { foundFromBackup } from "../../operations/bootstrap.ts";
import type { Bootstrap } from "../../operations/bootstrap.ts";
import { messageOf } from "../../operations/errors.ts";
import { initdb, requireNoDataElsewhere } from "../../operations/initdb.ts";
import { isDataGone } from "../../operations/node-data.ts";
import type { Context, Handler } from "../handler.ts";
import type { DatabaseClusterInputs, DatabaseClusterOutputs } from "../resources/database-cluster.ts";

export const databaseClusterHandler: Handler<DatabaseClusterInputs, DatabaseClusterOutputs> = {
  secretOutputs: [],
  ignoredInputs: ["host", "elsewhere", "volume", "job", "image", "script", "mounts", "labels", "bootstrap"],
  drift: async (_state, { bootstrap }, { warn, drift }) => {
    if (!bootstrap) return false;
    try {
      if (!(await isDataGone(bootstrap))) return false;
      const { node, stack } = bootstrap;
      const message = `${node.name} has no data: it is restored from the backups of the stack ${stack}`;
      drift({ level: "unknown", nodes: [node.name], message });
      return true;
    } catch (error) {
      warn(`the data of ${bootstrap.node.name} could not be looked at: ${messageOf(error)}`);
      return false;
    }
  },
  create: async (inputs, context) => {
    const outputs = await found(inputs, context);
    return { id: outputs.systemIdentifier, outputs };
  },
  update: (_state, inputs, context) => found(inputs, context),
};

/** An interrupted update may have founded it already. */
async function found(inputs: DatabaseClusterInputs, context: Context): Promise<DatabaseClusterOutputs> {
  const { bootstrap } = inputs;
  if (bootstrap && (await isDataGone(bootstrap))) {
    await requireNoDataElsewhere(inputs);
    return restore(bootstrap, context);
  }
  context.status("initdb");
  const systemIdentifier = await initdb({ ...inputs, signal: context.signal });
  return { systemIdentifier };
}

async function restore(bootstrap: Bootstrap, { status, log, signal }: Context): Promise<DatabaseClusterOutputs> {
  status(`restores the backups of the stack ${bootstrap.stack}`);
  const { systemIdentifier, backup, lastTransactionAt } = await foundFromBackup(bootstrap, signal);
  const last = lastTransactionAt === null ? "" : `, up to a transaction of ${lastTransactionAt}`;
  log(`restored from the backup ${backup} of the stack ${bootstrap.stack}${last}`);
  return { systemIdentifier };
}
