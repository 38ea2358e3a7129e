import type { LastRestart } from "./apply-configuration.ts";
import { OperationError } from "./errors.ts";
import { bytesBehind, parseLsn } from "./lsn.ts";
import type { Node } from "./node.ts";
import type { DrillReport } from "./restore-drill.ts";
import type { Switchover } from "./role-environment.ts";
import { runAsSuperuser, runOnWritableNode } from "./superuser.ts";
import { waitUntil } from "./wait-until.ts";

/** What has to hold of the figures that are measured; null: nothing has to. */
export interface Objectives {
  readonly rpoSeconds: number | null;
  readonly rtoSeconds: number | null;
  readonly maxReplayLagBytes: number | null;
  readonly maxWriteGapMs: number | null;
}

/** The figures as they were last measured; null: they have not been yet. */
export interface Measured {
  readonly drill: DrillReport | null;
  readonly switchover: Switchover | null;
  readonly restart: LastRestart | null;
}

/** A standby, and how much of what the primary has written it has still to replay. */
export interface ReplayLag {
  readonly node: string;
  readonly bytes: number;
}

/** What was measured and does not keep to the objectives: a sentence for each. Pure. */
export function missedObjectives(objectives: Objectives, { drill, switchover, restart }: Measured): string[] {
  const { rpoSeconds, rtoSeconds, maxWriteGapMs } = objectives;
  const drilled = drill === null ? "" : `the drill of the backup ${drill.backup}`;
  return [
    ...missed("rtoSeconds", rtoSeconds, drill?.rtoSeconds, (seconds) => `${drilled} took ${seconds} s`),
    ...missed("rpoSeconds", rpoSeconds, drill?.rpoSeconds, (seconds) => `${drilled} lost the last ${seconds} s`),
    ...missed("maxWriteGapMs", maxWriteGapMs, switchover?.writeGapMs, (gap) => {
      return `in the change of the primary at ${switchover?.at} writes waited ${gap} ms`;
    }),
    ...missed("maxWriteGapMs", maxWriteGapMs, restart?.writeGapMs, (gap) => {
      return `in the restart at ${restart?.at} writes waited ${gap} ms`;
    }),
  ];
}

export function missedReplayLag({ maxReplayLagBytes }: Objectives, lags: readonly ReplayLag[]): string[] {
  return lags.flatMap(({ node, bytes }) =>
    missed("maxReplayLagBytes", maxReplayLagBytes, bytes, () => `${node} is ${bytes} bytes behind`),
  );
}

function missed(
  name: string,
  allowed: number | null,
  measured: number | null | undefined,
  seen: (figure: number) => string,
): string[] {
  if (allowed === null || measured === null || measured === undefined || measured <= allowed) return [];
  return [`the objective ${name}: ${allowed} is missed: ${seen(measured)}`];
}

/** Asks the primary first, so that what is written meanwhile does not count. */
export async function replayLags(nodes: readonly Node[], standbys: readonly Node[]): Promise<ReplayLag[]> {
  const { output } = await runOnWritableNode(nodes, "SELECT pg_current_wal_lsn();\n");
  const written = parseLsn(output);
  return Promise.all(
    standbys.map(async (standby) => {
      const replayed = await runAsSuperuser(standby, "SELECT coalesce(pg_last_wal_replay_lsn(), '0/0');\n");
      return { node: standby.name, bytes: bytesBehind(parseLsn(replayed), written) };
    }),
  );
}

const CATCH_UP_TIMEOUT_SECONDS = 30;

/** A standby that is behind for a moment has some time. @returns what is missed all the same. */
export async function untilCaughtUp(
  objectives: Objectives,
  nodes: readonly Node[],
  standbys: readonly Node[],
  signal?: AbortSignal,
): Promise<string[]> {
  if (objectives.maxReplayLagBytes === null || standbys.length === 0) return [];
  let behind: readonly string[] = [];
  try {
    return await waitUntil({
      condition: "every standby to keep to maxReplayLagBytes",
      timeoutSeconds: CATCH_UP_TIMEOUT_SECONDS,
      intervalMilliseconds: 500,
      signal,
      probe: async () => {
        behind = missedReplayLag(objectives, await replayLags(nodes, standbys));
        return behind.length === 0 ? [] : undefined;
      },
      seen: () => behind.join("; "),
    });
  } catch (error) {
    if (!(error instanceof OperationError) || behind.length === 0) throw error;
    return [...behind];
  }
}
