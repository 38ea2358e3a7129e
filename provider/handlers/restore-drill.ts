import { newestRestorable } from "../../operations/backup-server.ts";
import { forgetDrill } from "../../operations/drill-record.ts";
import { engineOf, isReachable } from "../../operations/engine.ts";
import { messageOf, noAnswer } from "../../operations/errors.ts";
import { forgetHeartbeats } from "../../operations/heartbeats.ts";
import { findNodes } from "../../operations/node.ts";
import { keepProven, releaseProven } from "../../operations/proven-backup.ts";
import { drillDue, runDrill } from "../../operations/restore-drill.ts";
import type { DrillReport } from "../../operations/restore-drill.ts";
import { removeRestored } from "../../operations/restored-server.ts";
import type { Context, Handler } from "../handler.ts";
import type { RestoreDrillInputs, RestoreDrillOutputs } from "../resources/restore-drill.ts";

const HISTORY_LENGTH = 50;

export const restoreDrillHandler: Handler<RestoreDrillInputs, RestoreDrillOutputs> = {
  secretOutputs: [],
  // Another way to restore is no reason to restore the same backup again.
  ignoredInputs: ["node", "record", "labels", "nodeLabel", "placed", "everySeconds"],
  drift: async ({ lastDrill }, { server, node, everySeconds }, { impact, warn }) => {
    try {
      const newest = await newestRestorable(engineOf(node), server);
      const due = drillDue(lastDrill, newest?.id, everySeconds ?? null, Date.now());
      if (due !== undefined) impact({ level: "none", nodes: [], message: due });
      return due !== undefined;
    } catch (error) {
      warn(`the backups could not be looked at: ${messageOf(error)}`);
      return false;
    }
  },
  create: async (inputs, context) => {
    const lastDrill = await run(inputs, context);
    return { id: inputs.node.container, outputs: { lastDrill, drillHistory: [lastDrill] } };
  },
  update: async ({ drillHistory }, inputs, context) => {
    const lastDrill = await run(inputs, context);
    return { lastDrill, drillHistory: [lastDrill, ...drillHistory].slice(0, HISTORY_LENGTH) };
  },
  delete: async ({ node, server, record, ...marks }, { warn }) => {
    await forgetHeartbeats(await findNodes(marks));
    if (!(await isReachable(node)))
      return warn(`what a drill may have left on ${node.host?.name} stays there: the engine does not answer`);
    await forgetDrill(engineOf(node), server, record);
    await releaseProven(engineOf(node), server).catch(noAnswer);
    await removeRestored(engineOf(node), node);
  },
};

async function run(drill: RestoreDrillInputs, { status, log, signal }: Context): Promise<DrillReport> {
  const docker = engineOf(drill.node);
  const nodes = await findNodes(drill);
  const report = await runDrill({ docker, drill, nodes, status, signal });
  await keepProven(docker, drill.server, report.backup);
  const lost = report.rpoSeconds === null ? "" : `, ${report.rpoSeconds} s of transactions lost`;
  log(`restored ${report.backup} in ${report.rtoSeconds} s${lost}; ${report.checks.length} checks passed`);
  return report;
}
