import type { OnHost } from "./docker-host.ts";
import { engineOf } from "./engine.ts";
import { OperationError } from "./errors.ts";
import { runJob } from "./job.ts";
import type { JobMount } from "./job.ts";

export interface Initdb extends OnHost {
  readonly job: string;
  readonly image: string;
  /** Rendered from config-templates/initdb.sh. */
  readonly script: string;
  readonly mounts: readonly JobMount[];
  readonly labels: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/**
 * Founds the database cluster, or finds the one that is there.
 * @returns its system identifier, a 64-bit number in decimal.
 */
export async function initdb(order: Initdb): Promise<string> {
  const { job, ...rest } = order;
  const output = await runJob(engineOf(order), { name: job, network: null, ...rest });
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
