import type Docker from "dockerode";
import { copyRestored, requireCopyable } from "../operations/copy-restored.ts";
import type { Copy } from "../operations/copy-restored.ts";
import { placeOf } from "../operations/docker-host.ts";
import { engineOf, inspectContainer } from "../operations/engine.ts";
import { OperationError } from "../operations/errors.ts";
import { findNodes } from "../operations/node.ts";
import { planRestore, runRestore } from "../operations/restore.ts";
import type { Restore } from "../operations/restore.ts";
import { removeRestored, restoredServer } from "../operations/restored-server.ts";
import type { Reached, RestoredNode } from "../operations/restored-server.ts";
import { LABELS, stackLabels } from "../plan/names.ts";
import { restoredNode } from "../plan/restore.ts";
import { backupServerOf } from "./backup-server.ts";
import type { StackBarman } from "./backup-server.ts";
import { runCommand } from "./command.ts";
import { hostsOf } from "./hosts.ts";
import { DEFAULT_STACK } from "./project.ts";
import { copyOf, targetOf } from "./restore-arguments.ts";
import type { RestoreArguments } from "./restore-arguments.ts";

const text = { type: "string" } as const;
const flag = { type: "boolean", default: false } as const;
const OPTIONS = {
  stack: { type: "string", short: "s", default: DEFAULT_STACK },
  ...{ at: text, backup: text, name: text, lsn: text, latest: flag },
  ...{ database: text, table: text, into: text, replace: flag, remove: flag },
} as const;

const USAGE = `usage: npm run restore -- [--stack NAME] TARGET [--database NAME [--table SCHEMA.TABLE] (--into NAME | --replace)]
       npm run restore -- [--stack NAME] --remove
Restores a backup of a stack (default: ${DEFAULT_STACK}) to a node beside the topology, which stays as it is.
TARGET is one of
  --at "2026-11-20 14:02:59+00"   everything committed up to that moment
  --name POINT                    up to a restore point (pg_create_restore_point)
  --lsn 0/3000148                 up to a position in the WAL
  --backup ID                     as it was when that backup ended
  --latest                        everything that Barman has received
With --database, just that is copied into the running primary, and the node is removed: under the name of --into, or
with --replace in the place of the old one. With --table, --into names the schema that the table is copied into.
--remove removes the restored node.`;

await runCommand({
  usage: USAGE,
  options: OPTIONS,
  failureExitCode: 1,
  run: async (values: RestoreArguments) => {
    const server = await backupServerOf(values.stack ?? DEFAULT_STACK);
    const docker = engineOf(server);
    const { restore, findScript } = await restoreOf(docker, server);
    if (values.remove === true) {
      await removeRestored(docker, restore.node);
      console.log(`the restored node ${restore.node.container} is removed`);
      return 0;
    }
    const [target, copy] = [targetOf(values, USAGE), copyOf(values)];
    if (copy !== null) await requireCopyable(restore.nodes, copy);
    const planned = await planRestore(docker, restore, target, findScript);
    const reached = await restored(docker, restore, planned);
    if (copy === null) console.log(howToConnect(restore.node, reached, values.stack ?? DEFAULT_STACK));
    else await copied(docker, restore, copy);
    return 0;
  },
});

async function restoreOf(docker: Docker, server: StackBarman): Promise<{ restore: Restore; findScript: string }> {
  const container = await inspectContainer(docker, server.container);
  if (container === undefined) throw new OperationError(`the backup server ${server.container} is gone.`);
  const major = Number(container.Config.Env.find((line) => line.startsWith("PG_MAJOR="))?.slice("PG_MAJOR=".length));
  const { findScript, ...planned } = restoredNode(server.identity, major);
  const node = { ...planned, image: container.Config.Image, ...placeOf(server) };
  const marks = { labels: stackLabels(server.identity), nodeLabel: LABELS.node };
  const nodes = await findNodes({ ...hostsOf(server.identity.stack), ...marks });
  const log = (message: string): void => console.log(message);
  return { restore: { server, node, nodes, log }, findScript };
}

/** A node that has not become what was asked for is of no use to anybody. */
async function restored(docker: Docker, restore: Restore, planned: Parameters<typeof runRestore>[2]): Promise<Reached> {
  try {
    const reached = await runRestore(docker, restore, planned);
    const last = reached.lastTransactionAt === "" ? "" : `, its last transaction is of ${reached.lastTransactionAt}`;
    console.log(`reached ${reached.lsn} on timeline ${reached.timeline}${last}`);
    return reached;
  } catch (error) {
    await removeRestored(docker, restore.node);
    throw error;
  }
}

async function copied(docker: Docker, { node, nodes }: Restore, copy: Copy): Promise<void> {
  try {
    await copyRestored(restoredServer(node), nodes, copy);
  } finally {
    await removeRestored(docker, node);
  }
  console.log(
    `${copy.table ?? copy.database} is back${copy.into === null ? "" : ` as ${copy.table === null ? copy.into : `${copy.into}.${copy.table.split(".")[1] ?? ""}`}`}`,
  );
}

function howToConnect({ container, host }: RestoredNode, { paused }: Reached, stack: string): string {
  const there = host === undefined ? "" : `   (on ${host.name})`;
  return [
    `Connect:  docker exec -it -u postgres ${container} psql${there}`,
    ...(paused ? ["          (it only reads; SELECT pg_wal_replay_resume() makes it take writes)"] : []),
    `Remove:   npm run restore -- --remove --stack ${stack}`,
  ].join("\n");
}
