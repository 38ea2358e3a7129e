import { OperationError, noAnswer } from "./errors.ts";
import type { Node } from "./node.ts";
import { runAsSuperuser, runOnWritableNode } from "./superuser.ts";

/** A row that a drill has written on the primary before it restored. */
export interface Heartbeat {
  /** From 1 on, without a gap. */
  readonly number: number;
  /** In milliseconds since 1970. */
  readonly at: number;
  /** Of itself and of the one before. */
  readonly hash: string;
  /** The last one that Barman has had an hour to receive; 0: there is none. */
  readonly settled: number;
}

/** What a restored server has of them. */
export interface RestoredHeartbeats {
  /** Of the last one; 0: there is none. */
  readonly last: number;
  readonly hash: string;
  /** The first one that is missing, or not as it was written; 0: all are well. */
  readonly firstSpoiled: number;
}

const TABLE = "pgtopology.heartbeat";

const hashOf = (before: string): string =>
  `encode(sha256(convert_to(${before} || ' ' || number || ' ' || extract(epoch FROM at), 'UTF8')), 'hex')`;

const BEAT = `CREATE SCHEMA IF NOT EXISTS pgtopology;
CREATE TABLE IF NOT EXISTS ${TABLE} (number bigint PRIMARY KEY, at timestamptz NOT NULL, hash text NOT NULL);
WITH last AS (SELECT number, hash FROM ${TABLE} ORDER BY number DESC LIMIT 1),
     next AS (SELECT coalesce(max(number), 0) + 1 AS number, clock_timestamp() AS at, coalesce(max(hash), '') AS before FROM last)
INSERT INTO ${TABLE} AS beat SELECT number, at, ${hashOf("before")} FROM next
RETURNING json_build_object('number', number, 'at', extract(epoch FROM at) * 1000, 'hash', hash, 'settled',
  (SELECT coalesce(max(number), 0) FROM ${TABLE} AS earlier WHERE earlier.at < beat.at - interval '1 hour'));
`;

/** Adds a heartbeat; undefined: no node takes writes. The table is made where there is none yet. */
export async function beat(nodes: readonly Node[]): Promise<Heartbeat | undefined> {
  const answer = await runOnWritableNode(nodes, BEAT).catch(noAnswer);
  return answer && (JSON.parse(answer.output) as Heartbeat);
}

const CHECK = `SELECT to_regclass('${TABLE}') IS NOT NULL AS there \\gset
\\if :there
SELECT json_build_object(
  'last', coalesce(max(number), 0),
  'hash', coalesce((array_agg(hash ORDER BY number DESC))[1], ''),
  'firstSpoiled', coalesce(min(expected) FILTER (WHERE number <> expected OR hash <> as_written), 0))
FROM (SELECT number, hash, row_number() OVER byNumber AS expected,
             ${hashOf("lag(hash, 1, '') OVER byNumber")} AS as_written
      FROM ${TABLE} WINDOW byNumber AS (ORDER BY number)) AS ledger;
\\else
\\echo {"last": 0, "hash": "", "firstSpoiled": 0}
\\endif
`;

export async function restoredHeartbeats(restored: Node): Promise<RestoredHeartbeats> {
  return JSON.parse(await runAsSuperuser(restored, CHECK)) as RestoredHeartbeats;
}

/**
 * Whether what came back of the heartbeats is what was written, as far as it came back: that something at the end is
 * lost is a matter of the RPO, but for what Barman has had for long. WAL that is spoiled ends recovery without an error.
 * Pure.
 * @param written the last one before the restore; undefined: there was no primary to write one.
 * @throws OperationError naming the first one that is not well.
 */
export function requireIntact({ last, hash, firstSpoiled }: RestoredHeartbeats, written: Heartbeat | undefined): void {
  if (firstSpoiled !== 0) {
    throw new OperationError(
      `of the heartbeats that every drill writes number ${firstSpoiled} did not come back as it was written.`,
    );
  }
  if (written === undefined) return;
  if (last < written.settled) {
    throw new OperationError(
      `the heartbeats came back up to number ${last}, and number ${written.settled} was written more than an hour before: the WAL in between is missing or spoiled.`,
    );
  }
  if (last < written.number) return;
  if (last > written.number || hash !== written.hash) {
    throw new OperationError(
      `heartbeat ${last} came back, and the primary has another one: these backups are of another history.`,
    );
  }
}

const FORGET = `DROP TABLE IF EXISTS ${TABLE};
DROP SCHEMA IF EXISTS pgtopology;
`;

/** Nobody writes them any more. Where no node takes writes they go with the nodes; what is not ours stays. */
export async function forgetHeartbeats(nodes: readonly Node[]): Promise<void> {
  await runOnWritableNode(nodes, FORGET).catch(noAnswer);
}
