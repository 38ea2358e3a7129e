import { randomUUID } from "node:crypto";
import { parseTimelines } from "./archived-timelines.ts";
import type { ArchivedTimeline } from "./archived-timelines.ts";
import { parseCatalogue } from "./barman-catalogue.ts";
import type { BarmanCatalogue } from "./barman-catalogue.ts";
import { engineOf, unlessMissing } from "./engine.ts";
import { OperationError } from "./errors.ts";
import { systemIdentifierIn } from "./initdb.ts";
import { runJob } from "./job.ts";
import type { JobMount } from "./job.ts";
import { requireDataVolume } from "./node-data.ts";
import type { DataVolume } from "./node-data.ts";
import type { StackLabels } from "./node.ts";
import { chooseBackup, lastCommit, placeIn, recoveryTarget, requireFreeBytes } from "./restore-target.ts";
import type { ChosenBackup, WalPlace } from "./restore-target.ts";

/** A cluster that is founded from the backups of a stack instead of empty. */
export interface Bootstrap {
  /** The stack that the backups are of. */
  readonly stack: string;
  /** Up to which moment, with its time zone; null: all there is. */
  readonly at: string | null;
  /** The volume of its backup server; it need not run. */
  readonly volume: string;
  /** The names of all such volumes, with a star for the stack. */
  readonly volumePattern: string;
  readonly image: string;
  readonly postgresMajor: number;
  readonly labels: StackLabels;
  readonly lookJob: string;
  readonly lookMounts: readonly JobMount[];
  /** Rendered from config-templates/barman-catalogue.sh and find-in-wal.sh. */
  readonly catalogueScript: string;
  readonly findScript: string;
  readonly job: string;
  readonly mounts: readonly JobMount[];
  /** Rendered from config-templates/bootstrap.sh. */
  readonly script: string;
  /** The node that is founded. */
  readonly node: DataVolume;
  readonly dataMount: string;
  readonly dataDirectory: string;
}

export interface FoundedCluster {
  readonly systemIdentifier: string;
  readonly backup: string;
  /** Of the last transaction that came back, as PostgreSQL writes it; null: there was none after the backup. */
  readonly lastTransactionAt: string | null;
}

/**
 * Chooses the backup that the cluster is founded from.
 * @throws OperationError for a source that there is not, that does not fit, or that does not reach the target.
 */
export async function planBootstrap(bootstrap: Bootstrap, signal?: AbortSignal): Promise<ChosenBackup> {
  await requireVolume(bootstrap);
  const catalogue = parseCatalogue(await look(bootstrap, bootstrap.catalogueScript, [], signal));
  // Before the WAL is searched, which takes a while: most of what is wrong is wrong whatever is found there.
  chooseFrom(catalogue, bootstrap, null, Date.now(), []);
  const find = (args: readonly string[]): Promise<string> => look(bootstrap, bootstrap.findScript, args, signal);
  const timelines = parseTimelines(await find(["timelines"]));
  const last = bootstrap.at === null ? null : placeIn(await find(lastCommit(bootstrap.at, timelines)));
  return chooseFrom(catalogue, bootstrap, last, Date.now(), timelines);
}

/**
 * The same of what is known. Pure.
 * @param last commit up to the moment that is asked for; null: not known.
 * @param now in milliseconds since 1970.
 * @param timelines of all WAL there is, the oldest first.
 */
export function chooseFrom(
  { backups, freeBytes }: BarmanCatalogue,
  { stack, at, postgresMajor }: Pick<Bootstrap, "stack" | "at" | "postgresMajor">,
  last: WalPlace | null,
  now: number,
  timelines: readonly ArchivedTimeline[],
): ChosenBackup {
  const target = at === null ? ({ kind: "latest" } as const) : ({ kind: "time", at, last } as const);
  const chosen = chooseBackup(target, backups, now, timelines);
  const backup = backups.find(({ id }) => id === chosen.backup.id);
  if (backup !== undefined && backup.postgresMajor !== postgresMajor) {
    throw new OperationError(
      `the backups of the stack ${stack} are of PostgreSQL ${backup.postgresMajor}, and the image is PostgreSQL ${postgresMajor}. Name an image of major ${backup.postgresMajor} in \`image\`.`,
    );
  }
  if (backup?.hasTablespaces === true) {
    throw new OperationError(
      `the backup ${backup.id} of the stack ${stack} has tablespaces, which have no place in a node. Restore it by Barman.`,
    );
  }
  requireFreeBytes(chosen.backup, freeBytes);
  return chosen;
}

async function requireVolume({ node, stack, volume, volumePattern }: Bootstrap): Promise<void> {
  const docker = engineOf(node);
  if ((await unlessMissing(docker.getVolume(volume).inspect())) !== undefined) return;
  const [before = "", after = ""] = volumePattern.split("*");
  const { Volumes } = await docker.listVolumes();
  const stacks = Volumes.map(({ Name }) => Name)
    .filter((name) => name.startsWith(before) && name.endsWith(after))
    .map((name) => name.slice(before.length, name.length - after.length));
  const known = stacks.length === 0 ? "No stack has any" : `Stacks that have: ${stacks.toSorted().join(", ")}`;
  throw new OperationError(
    `the stack ${stack} has no backups on ${place(node)}: there is no volume ${volume}. ${known}.`,
  );
}

/** A cluster is founded where its backups are: they go over no network. */
const place = ({ name, host }: DataVolume): string =>
  host === undefined ? "this engine" : `${host.name}, where ${name} is`;

const look = (
  { node, lookJob, image, lookMounts, labels }: Bootstrap,
  script: string,
  args: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string> =>
  runJob(engineOf(node), {
    // Two previews look at the same time.
    name: `${lookJob}.${randomUUID()}`,
    image,
    script,
    arguments: args,
    mounts: lookMounts,
    network: null,
    labels,
    signal,
  });

/**
 * Founds the cluster from a backup and the WAL after it, on a timeline of its own.
 * @throws OperationError where that cannot be; nothing has been founded then.
 */
export async function foundFromBackup(bootstrap: Bootstrap, signal?: AbortSignal): Promise<FoundedCluster> {
  const { job: name, image, script, mounts, labels, node } = bootstrap;
  await requireDataVolume(node);
  const { backup, stop, timeline } = await planBootstrap(bootstrap, signal);
  const order = { name, image, script, mounts, labels, network: null, signal };
  const output = await runJob(engineOf(node), {
    ...order,
    arguments: [backup.id, `${timeline}`, ...recoveryTarget(stop)],
  });
  return {
    systemIdentifier: systemIdentifierIn(output, name),
    backup: backup.id,
    lastTransactionAt: /^last transaction: (.*)$/m.exec(output)?.[1] ?? null,
  };
}
