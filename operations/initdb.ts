import type { OnHost } from "./docker-host.ts";
import { engineOf, hasFile } from "./engine.ts";
import { OperationError } from "./errors.ts";
import { runJob } from "./job.ts";
import type { JobMount } from "./job.ts";
import { withDataOf } from "./node-data.ts";
import type { DataVolume } from "./node-data.ts";

/** The founding of a cluster in a data volume. */
export interface Founding extends OnHost {
  readonly job: string;
  readonly image: string;
  /** Rendered from config-templates/initdb.sh. */
  readonly script: string;
  readonly mounts: readonly JobMount[];
  readonly labels: Readonly<Record<string, string>>;
  /** The volume that it is founded in. */
  readonly volume: string;
  /** Nodes on other hosts, whose volumes the job does not see; without it, there are none. */
  readonly elsewhere?: Elsewhere;
}

export interface Elsewhere {
  readonly nodes: readonly DataVolume[];
  /** Where a data volume is mounted. */
  readonly dataMount: string;
  readonly dataDirectory: string;
}

export interface Initdb extends Founding {
  readonly signal?: AbortSignal;
}

/**
 * Founds the database cluster, or finds the one that is there.
 * @returns its system identifier, a 64-bit number in decimal.
 * @throws OperationError where another node has data: it would be a second cluster.
 */
export async function initdb(order: Initdb): Promise<string> {
  const { job, image, script, mounts, labels, signal } = order;
  await requireNoDataElsewhere(order);
  const output = await runJob(engineOf(order), { name: job, network: null, image, script, mounts, labels, signal });
  return systemIdentifierIn(output, job);
}

/** What a job that has founded a cluster reports. */
export function systemIdentifierIn(output: string, job: string): string {
  const systemIdentifier = /^system identifier: (\d+)$/m.exec(output)?.[1];
  if (systemIdentifier === undefined) {
    throw new OperationError(`the job ${job} did not report a system identifier. Its output:\n${output}`);
  }
  return systemIdentifier;
}

/**
 * What the jobs that found a cluster look after themselves on their own host.
 * @throws OperationError where a node on another host has data, and the one to be founded has none.
 */
export async function requireNoDataElsewhere(order: Founding): Promise<void> {
  const { image, labels, job, volume, host, elsewhere } = order;
  if (elsewhere === undefined) return;
  const hasData = (node: DataVolume): Promise<boolean> =>
    withDataOf({ image, labels, dataMount: elsewhere.dataMount }, node, (container) =>
      hasFile(engineOf(node), container, `${elsewhere.dataDirectory}/PG_VERSION`),
    );
  if (await hasData({ name: "the primary", container: job, volume, ...(host === undefined ? {} : { host }) })) return;
  const found = await Promise.all(elsewhere.nodes.map(hasData));
  const peer = elsewhere.nodes.find((_, index) => found[index]);
  if (peer === undefined) return;
  throw new OperationError(
    `the primary has no data but ${peer.name} has, so that a cluster founded now would be a second one. Name ${peer.name} as the primary in the stack file, or remove the data volumes of the old cluster.`,
  );
}
