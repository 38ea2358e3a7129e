import { randomUUID } from "node:crypto";
import { engineOf } from "./engine.ts";
import { OperationError } from "./errors.ts";
import { runJob } from "./job.ts";
import type { Lsn } from "./lsn.ts";
import { dataMountOf } from "./node-data.ts";
import type { Node } from "./node.ts";
import { onceStopped } from "./once-stopped.ts";
import type { RoleEnvironment } from "./role-environment.ts";
import { readHistory } from "./timeline-history.ts";
import type { TimelineSpan } from "./timeline-history.ts";
import { recordEnd } from "./wal-record.ts";

/** What config-templates/rejoin.sh can do to the data of a node whose server is stopped. */
export type DataVerb = "wal-end" | "release" | "follow" | "rewind" | "clone";

/** @returns what the job wrote. */
export async function runDataJob(
  environment: RoleEnvironment,
  node: string,
  verb: DataVerb,
  signal?: AbortSignal,
): Promise<string> {
  const job = environment.jobs[node];
  if (job === undefined) throw new OperationError(`${node} is not in the stack file, and its data is left alone.`);
  const { image, network, labels } = environment;
  // What only reads may run beside another: two previews look at the same time.
  const name = verb === "wal-end" ? `${job.name}.${randomUUID()}` : job.name;
  const needsNetwork = verb === "rewind" || verb === "clone";
  return runJob(engineOf(job), {
    ...job,
    name,
    image,
    labels,
    network: needsNetwork ? network : null,
    arguments: [verb],
    signal,
  });
}

/** Where the write-ahead log of a stopped server ends. */
export interface WalEnd {
  readonly timeline: number;
  readonly lsn: Lsn;
  /** The timelines that it has been on; null: it has no history of the one that it is on. */
  readonly history: readonly TimelineSpan[] | null;
}

/** Reads to the end of what is valid. undefined: the files of the node do not tell. */
export const readWalEnd = (
  environment: RoleEnvironment,
  node: Node,
  signal?: AbortSignal,
): Promise<WalEnd | undefined> =>
  onceStopped(node, "wal-end", async () => {
    // A job that names a volume that is gone would make one.
    if ((await dataMountOf(environment, node)) === undefined) return undefined;
    return walEndOf(await runDataJob(environment, node.name, "wal-end", signal));
  });

/** By what the job wrote. Pure. */
export function walEndOf(output: string): WalEnd | undefined {
  const said = (what: string): string[] =>
    [...output.matchAll(new RegExp(`^${what}: ?(.*)$`, "gm"))].map(([, text = ""]) => text);
  const [timeline, segmentBytes, blockBytes, record] = [
    "timeline",
    "bytes per segment",
    "bytes per block",
    "last record",
  ].map((what) => said(what)[0]);
  if (timeline === undefined || !segmentBytes || !blockBytes || record === undefined) return undefined;
  const layout = { segmentBytes: BigInt(segmentBytes), blockBytes: BigInt(blockBytes) };
  const lsn = recordEnd(record, layout);
  if (lsn === undefined) return undefined;
  return { timeline: Number(timeline), lsn, history: readHistory(Number(timeline), said("history").join("\n")) };
}
