import type Docker from "dockerode";
import { placeOf } from "./docker-host.ts";
import type { OnHost } from "./docker-host.ts";
import { inspectContainer, lastLogLines, removeContainer, unlessMissing } from "./engine.ts";
import { OperationError, noAnswer } from "./errors.ts";
import { runJob } from "./job.ts";
import type { JobMount } from "./job.ts";
import type { Node } from "./node.ts";
import { runAsSuperuser } from "./superuser.ts";
import { waitUntil } from "./wait-until.ts";

/** A node that a backup is restored to: without any network, beside the topology. */
export interface RestoredNode extends OnHost {
  readonly image: string;
  readonly job: string;
  readonly container: string;
  readonly volume: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly mounts: readonly JobMount[];
  /** Rendered from config-templates/restore.sh, restored-server.sh and barman-catalogue.sh. */
  readonly restoreScript: string;
  readonly serverScript: string;
  readonly catalogueScript: string;
}

/** The server of a restored node, to be asked like any other. */
export const restoredServer = (node: RestoredNode): Node => ({
  name: "the restored server",
  container: node.container,
  ...placeOf(node),
});

/** What a restored server has reached. */
export interface Reached {
  readonly lsn: string;
  /** Of the last transaction that it has replayed, as PostgreSQL writes it; "" if there was none. */
  readonly lastTransactionAt: string;
  readonly timeline: number;
  /** Whether it waits at its target; otherwise it has become a primary of its own. */
  readonly paused: boolean;
}

const RECOVERY_TIMEOUT_SECONDS = 6 * 60 * 60;
const STOP_SECONDS = 60;

/** Makes the volume, lets Barman fill it, and starts a server on it. What an interrupted restore left is removed first. */
export async function startRestored(
  docker: Docker,
  node: RestoredNode,
  backup: string,
  options: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  await removeRestored(docker, node);
  await docker.createVolume({ Name: node.volume, Labels: { ...node.labels } });
  const { job: name, image, mounts, labels } = node;
  await runJob(docker, {
    name,
    image,
    mounts,
    labels,
    script: node.restoreScript,
    arguments: [backup, ...options],
    network: null,
    signal,
  });
  await startServerContainer(docker, node);
}

async function startServerContainer(docker: Docker, node: RestoredNode): Promise<void> {
  const data = node.mounts.find(({ volume }) => volume === node.volume);
  if (data === undefined) throw new Error("a restored node without its own volume");
  const container = await docker.createContainer({
    name: node.container,
    Image: node.image,
    User: "root",
    Entrypoint: ["bash", "-c", node.serverScript],
    Cmd: [],
    Labels: { ...node.labels },
    StopSignal: "SIGINT",
    HostConfig: {
      NetworkMode: "none",
      Mounts: [{ Type: "volume", Source: data.volume, Target: data.path }],
    },
  });
  await container.start();
}

/** Removes the node and its data; one that is not there is no error. */
export async function removeRestored(
  docker: Docker,
  { job, container, volume }: Omit<RestoredNode, "image">,
): Promise<void> {
  await removeContainer(docker, job);
  await removeContainer(docker, container);
  await unlessMissing(docker.getVolume(volume).remove());
}

/**
 * Waits until a restored server has replayed all that it shall.
 * @throws OperationError when it ends before, saying how far it came.
 */
export async function untilReached(docker: Docker, node: RestoredNode, signal?: AbortSignal): Promise<Reached> {
  return waitUntil({
    condition: "the restored server to reach its target",
    timeoutSeconds: RECOVERY_TIMEOUT_SECONDS,
    intervalMilliseconds: 200,
    signal,
    probe: async () => {
      await requireAlive(docker, node);
      const reached = await reachedOf(node);
      if (reached?.paused !== true || !(await lacksDemands(node))) return reached;
      await docker.getContainer(node.container).restart({ t: STOP_SECONDS });
      return undefined;
    },
    seen: () => lastLogLines(docker, node.container),
  });
}

async function requireAlive(docker: Docker, node: RestoredNode): Promise<void> {
  if ((await inspectContainer(docker, node.container))?.State.Running === true) return;
  const log = await lastLogLines(docker, node.container, 40);
  if (log.includes("recovery ended before configured recovery target was reached")) {
    const last = /last completed transaction was at log time (.*)$/m.exec(log)?.[1];
    throw new OperationError(
      `The target is not in the WAL that Barman has${last === undefined ? "" : `: its last transaction is of ${last}`}. Choose an earlier one, or --latest for all there is.`,
    );
  }
  throw new OperationError(`the restored server ended. Last lines of its log:\n${log}`);
}

const PROGRESS = `SELECT json_build_object(
  'lsn', CASE WHEN standby THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
  'lastTransactionAt', coalesce(pg_last_xact_replay_timestamp()::text, ''),
  'timeline', (pg_control_checkpoint()).timeline_id,
  'paused', standby,
  'reached', NOT standby OR pg_get_wal_replay_pause_state() = 'paused')
FROM (SELECT pg_is_in_recovery() AS standby) AS role;
`;

/** undefined: it does not take connections yet, or still replays. */
async function reachedOf(node: RestoredNode): Promise<Reached | undefined> {
  const answer = await runAsSuperuser(restoredServer(node), PROGRESS).catch(noAnswer);
  if (answer === undefined) return undefined;
  const { reached, ...progress } = JSON.parse(answer) as Reached & { readonly reached: boolean };
  return reached ? progress : undefined;
}

/**
 * Where the original was given more connections, workers or locks than it had at the backup, PostgreSQL pauses replay as
 * it does at a target, and would end when it is resumed. pg_control has what is demanded by then, and the server script
 * gives the server as much when it starts.
 */
const LACKS_DEMANDS = `SELECT current_setting('data_directory') AS data \\gset
\\set control \`LC_ALL=C pg_controldata -D :'data'\`
SELECT bool_or(substring(:'control' FROM demanded || ' setting: +([0-9]+)')::int > current_setting(name)::int)
FROM (VALUES
  ('max_connections', 'max_connections'),
  ('max_worker_processes', 'max_worker_processes'),
  ('max_wal_senders', 'max_wal_senders'),
  ('max_prepared_transactions', 'max_prepared_xacts'),
  ('max_locks_per_transaction', 'max_locks_per_xact')
) AS demand (name, demanded);
`;

const lacksDemands = async (node: RestoredNode): Promise<boolean> =>
  (await runAsSuperuser(restoredServer(node), LACKS_DEMANDS)) === "t";
