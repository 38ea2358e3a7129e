import type Docker from "dockerode";
import prettyBytes from "pretty-bytes";
import { newestTimeline, parseTimelines, searchLines } from "./archived-timelines.ts";
import type { ArchivedTimeline } from "./archived-timelines.ts";
import { archivedFiles } from "./archived-wal.ts";
import type { WalArchive } from "./archived-wal.ts";
import { parseCatalogue } from "./barman-catalogue.ts";
import { barman, listBackupsWithEnds } from "./barman.ts";
import type { Barman } from "./barman.ts";
import { inspectContainer } from "./engine.ts";
import { OperationError, noAnswer } from "./errors.ts";
import { execIn } from "./exec.ts";
import { freeBytesAt } from "./free-space.ts";
import type { Node } from "./node.ts";
import {
  barmanOptions,
  chooseBackup,
  lastCommit,
  lsnNumber,
  ofSystem,
  placeIn,
  requireFreeBytes,
  walBytesUpTo,
} from "./restore-target.ts";
import type { ChosenBackup, RestoreTarget, WalPlace } from "./restore-target.ts";
import { startRestored, untilReached } from "./restored-server.ts";
import type { Reached, RestoredNode } from "./restored-server.ts";
import { runOnWritableNode } from "./superuser.ts";
import { waitUntil } from "./wait-until.ts";

export interface Restore {
  readonly server: WalArchive;
  readonly node: RestoredNode;
  /** The nodes of the topology, none of which has to answer. */
  readonly nodes: readonly Node[];
  readonly log: (message: string) => void;
  readonly signal?: AbortSignal;
}

/** A target as a person gives it: a restore point is looked for first. */
export type WantedTarget =
  | Exclude<RestoreTarget, { kind: "name" | "time" }>
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "time"; readonly at: string };

/** A restore that nothing known speaks against. */
export interface PlannedRestore extends ChosenBackup {
  readonly target: RestoreTarget;
}

/**
 * Everything that can be known before anything is made: whether the target can be reached, whether there is room, and
 * whether an earlier restored node is in the way.
 * @throws OperationError in a sentence that says what can be done instead.
 */
export async function planRestore(
  docker: Docker,
  restore: Restore,
  wanted: WantedTarget,
  findScript: string,
): Promise<PlannedRestore> {
  const { server, node } = restore;
  const earlier = await inspectContainer(docker, node.container);
  if (earlier?.State.Running === true) {
    throw new OperationError(
      `There is a restored node already, the container ${node.container}. Take from it what you need, remove it by npm run restore -- --remove, and run this again.`,
    );
  }
  if ((await inspectContainer(docker, node.job))?.State.Running === true) {
    throw new OperationError(
      `Another restore is at work, in the container ${node.job}: wait for it, or end it by npm run restore -- --remove.`,
    );
  }
  const all = await listBackupsWithEnds(docker, server);
  const backups = wanted.kind === "backup" ? all : ofSystem(all, await systemOf(restore.nodes));
  if (wanted.kind === "time") chooseBackup({ ...wanted, last: null }, backups, Date.now(), []);
  if (wanted.kind === "lsn" || wanted.kind === "backup") chooseBackup(wanted, backups, Date.now(), []);
  const isComplete = wanted.kind === "backup" || (await archiveEverything(docker, restore, wanted));
  const find = (...args: readonly string[]): Promise<string> => findInWal(docker, server, findScript, args);
  const timelines = parseTimelines(await find("timelines"));
  const target = await located(find, wanted, timelines);
  if (!isComplete && target.kind === "time") await requireLaterCommit(find, target, timelines);
  const chosen = chooseBackup(target, backups, Date.now(), timelines);
  await requireRoom(docker, server, node, chosen);
  return { ...chosen, target };
}

/** Restores, starts the restored server, and waits for it. What it made stays when the target is missed: its log tells why. */
export async function runRestore(
  docker: Docker,
  { node, log, signal }: Restore,
  planned: PlannedRestore,
): Promise<Reached> {
  log(`Barman restores ${planned.backup.id} (${prettyBytes(planned.backup.sizeBytes)})`);
  await startRestored(docker, node, planned.backup.id, barmanOptions(planned), signal);
  log("the restored server replays WAL");
  return untilReached(docker, node, signal);
}

const SYSTEM = "SELECT system_identifier FROM pg_control_system();\n";

/** undefined: no node takes writes. */
const systemOf = async (nodes: readonly Node[]): Promise<string | undefined> =>
  (await runOnWritableNode(nodes, SYSTEM).catch(noAnswer))?.output;

/**
 * Has everything archived that was committed until now. A server that is idle has written no commit since the moment
 * that is asked for, and recovery could not tell that it is past it: so one is written that changes nothing.
 */
const SWITCH_WAL = `SELECT pg_current_xact_id() \\g /dev/null
SELECT pg_current_wal_lsn(), pg_walfile_name(pg_switch_wal());
`;
const ARCHIVE_TIMEOUT_SECONDS = 60;

async function archiveEverything(
  docker: Docker,
  { server, nodes, log, signal }: Restore,
  wanted: WantedTarget,
): Promise<boolean> {
  const switched = await runOnWritableNode(nodes, SWITCH_WAL).catch(noAnswer);
  if (switched === undefined) {
    log("no node takes writes: what Barman has received is all there is");
    return true;
  }
  const [lsn = "", segment = ""] = switched.output.split("\t");
  if (wanted.kind === "lsn" && lsnNumber(wanted.lsn) > lsnNumber(lsn)) {
    throw new OperationError(
      `${wanted.lsn} is in the future: the primary has written up to ${lsn}. Use --latest for all there is.`,
    );
  }
  try {
    // Where Barman does not receive it, what is older can be restored all the same.
    await untilArchived(docker, server, segment, signal);
    return true;
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    log(`what was written last may be missing: ${error.message}`);
    return false;
  }
}

/** @throws OperationError unless there is WAL of later than a moment: what was committed up to it may not be there either. */
async function requireLaterCommit(
  find: (...args: readonly string[]) => Promise<string>,
  { at, last }: { readonly at: string; readonly last: WalPlace | null },
  timelines: readonly ArchivedTimeline[],
): Promise<void> {
  const end = placeIn(await find(...lastCommit(new Date().toISOString(), timelines)));
  if (end !== null && end.lsn !== last?.lsn) return;
  throw new OperationError(
    `Barman has not received all that was written up to ${at}. Mend that first (npm run backup -- check); or --latest restores what there is.`,
  );
}

async function untilArchived(
  docker: Docker,
  server: WalArchive,
  segment: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await waitUntil({
    condition: `the WAL file ${segment} to be archived`,
    timeoutSeconds: ARCHIVE_TIMEOUT_SECONDS,
    intervalMilliseconds: 300,
    signal,
    probe: async () => {
      await barman(docker, server, "archive-wal", server.server);
      return (await archivedFiles(docker, server)).includes(segment) || undefined;
    },
    seen: () => "Barman has not received all of it yet",
  });
}

/** Runs config-templates/find-in-wal.sh in the backup server. */
async function findInWal(
  docker: Docker,
  { container }: Barman,
  script: string,
  args: readonly string[],
): Promise<string> {
  const command = ["bash", "-s", ...args];
  const { exitCode, stdout, stderr } = await execIn(docker, { container, user: "postgres", command, input: script });
  if (exitCode === 0) return stdout;
  throw new OperationError(`the WAL that Barman has cannot be searched: ${stderr.trim()}`);
}

/** A target and where it is in the WAL. A restore point may also be in what a change of the primary left behind. */
async function located(
  find: (...args: readonly string[]) => Promise<string>,
  wanted: WantedTarget,
  timelines: readonly ArchivedTimeline[],
): Promise<RestoreTarget> {
  switch (wanted.kind) {
    case "time":
      return { ...wanted, last: placeIn(await find(...lastCommit(wanted.at, timelines))) };
    case "name":
      return { ...wanted, found: await restorePoint(find, wanted.name, newestTimeline(timelines)) };
    case "latest":
    case "backup":
    case "lsn":
      return wanted;
  }
}

/** In the history of the present, or else anywhere. */
async function restorePoint(
  find: (...args: readonly string[]) => Promise<string>,
  name: string,
  present: ArchivedTimeline | undefined,
): Promise<WalPlace> {
  for (const lines of present === undefined ? [[]] : [searchLines(present), []]) {
    const found = placeIn(await find("restore-point", name, ...lines));
    if (found !== null) return found;
  }
  throw new OperationError(
    `There is no restore point "${name}" in the WAL that Barman has. SELECT pg_create_restore_point('${name}') makes one.`,
  );
}

/**
 * Volumes of one engine lie on one file system, unless somebody has seen to it otherwise.
 * @throws OperationError when a restore of the backup would fill it.
 */
export async function requireRoom(
  docker: Docker,
  { container }: Barman,
  { catalogueScript }: RestoredNode,
  { backup, stop }: Pick<ChosenBackup, "backup" | "stop">,
): Promise<void> {
  const command = ["bash", "-c", catalogueScript];
  const { stdout, stderr } = await execIn(docker, { container, user: "postgres", command });
  const found = parseCatalogue(stdout + stderr).backups.find(({ id }) => id === backup.id);
  const walBytes = found === undefined ? backup.walBytes : walBytesUpTo(stop, found);
  requireFreeBytes({ ...backup, walBytes }, await freeBytesAt(docker, container, "/var/lib"));
}
