import { initdb } from "../../operations/initdb.ts";
import type { Handler } from "../handler.ts";
import type { DatabaseClusterInputs, DatabaseClusterOutputs } from "../resources/database-cluster.ts";

export const databaseClusterHandler: Handler<DatabaseClusterInputs, DatabaseClusterOutputs> = {
  secretOutputs: [],
  ignoredInputs: ["volume", "job", "image", "script", "mounts", "labels"],
  create: async (inputs, { signal, status }) => {
    status("initdb");
    const systemIdentifier = await initdb({ ...inputs, signal });
    return { id: systemIdentifier, outputs: { systemIdentifier } };
  },
  update: async ({ systemIdentifier }) => ({ systemIdentifier }),
};
