import { backupFindings } from "../../operations/backup-findings.ts";
import { ensureBackups } from "../../operations/backup-server.ts";
import { listBackups } from "../../operations/barman.ts";
import { engineOf } from "../../operations/engine.ts";
import { messageOf } from "../../operations/errors.ts";
import { findNodes } from "../../operations/node.ts";
import { removedByChange } from "../../operations/retention.ts";
import type { RetentionPolicy } from "../../operations/retention.ts";
import { dropSlotEverywhere } from "../../operations/slots.ts";
import type { Context, Handler } from "../handler.ts";
import { refuseProtected } from "../protected-volumes.ts";
import type { BackupServerInputs, BackupServerOutputs } from "../resources/backup-server.ts";

export const backupServerHandler: Handler<BackupServerInputs, BackupServerOutputs> = {
  secretOutputs: [],
  ignoredInputs: [
    "host",
    "labels",
    "nodeLabel",
    "placed",
    "takeBackup",
    "home",
    "walFolder",
    "streamingFolder",
    "baseFolder",
    "backupLock",
    "cronMark",
  ],
  drift: (_state, inputs, context) => tellFindings(inputs, context),
  announce: async (state, inputs, context) => {
    if (isSamePolicy(state, inputs)) return;
    const [message] = await Promise.all([removedBackups(state, inputs), tellFindings(inputs, context)]);
    if (message !== undefined) context.impact({ level: "none", nodes: [], message });
  },
  create: async (inputs, context) => ({ id: inputs.server, outputs: await run(inputs, context) }),
  update: async (_state, inputs, context) => run(inputs, context),
  delete: async ({ slot, ...marks }, { stack }) => {
    await refuseProtected(stack);
    await dropSlotEverywhere(await findNodes(marks), slot);
  },
};

/** @returns whether there is anything that an update mends. */
async function tellFindings(inputs: BackupServerInputs, { drift, warn, signal }: Context): Promise<boolean> {
  try {
    const { found, warnings } = await backupFindings(engineOf(inputs), inputs, signal);
    for (const what of [...found, ...warnings])
      drift({ level: "none", nodes: [], message: `the backup server: ${what}` });
    return found.length > 0;
  } catch (error) {
    warn(`the backup server could not be looked at: ${messageOf(error)}`);
    return true;
  }
}

/** What a policy that keeps less takes away. */
async function removedBackups(state: BackupServerInputs, inputs: BackupServerInputs): Promise<string | undefined> {
  try {
    return removedByChange(state, inputs, await listBackups(engineOf(inputs), inputs), Date.now());
  } catch (error) {
    return `which backups the new retention removes cannot be told: ${messageOf(error)}`;
  }
}

const isSamePolicy = (before: RetentionPolicy, after: RetentionPolicy): boolean =>
  before.retention === after.retention && before.minimumRedundancy === after.minimumRedundancy;

async function run(server: BackupServerInputs, { status, log, signal }: Context): Promise<BackupServerOutputs> {
  const { id } = await ensureBackups({ docker: engineOf(server), server, status, log, signal });
  return { lastBackup: id };
}
