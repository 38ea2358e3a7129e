import { setTimeout as sleep } from "node:timers/promises";
import { readContainerFile } from "./container-file.ts";
import { engineOf, hasFile } from "./engine.ts";
import { OperationError, messageOf } from "./errors.ts";
import { parseLsn } from "./lsn.ts";
import type { Lsn } from "./lsn.ts";
import { withFilesOf } from "./node-data.ts";
import { findNodes } from "./node.ts";
import type { Node } from "./node.ts";
import { STILL_REPLAYS, containerState } from "./observe.ts";
import type { ContainerState } from "./observe.ts";
import { readPgControl } from "./pg-control.ts";
import type { PgControl } from "./pg-control.ts";
import type { RoleEnvironment } from "./role-environment.ts";
import { runAsSuperuser } from "./superuser.ts";
import { historyFileName, readHistory } from "./timeline-history.ts";
import type { LogPosition, TimelineSpan } from "./timeline-history.ts";
import { serverAnswers } from "./server-answers.ts";
import { withDeadline } from "./with-deadline.ts";

/** What decides about roles, of one node at one moment. */
export type NodeRole = PrimaryRole | StandbyRole | DownNode;

export interface PrimaryRole {
  readonly kind: "primary";
  readonly name: string;
  readonly timeline: number;
  readonly systemIdentifier: string;
  readonly writtenLsn: Lsn;
  /** Transactions that have run for longer than this many seconds are cut off by a switchover; the oldest. */
  readonly oldestTransactionSeconds: number;
  /** WAL files that are not archived yet; 0 where nothing is archived. */
  readonly unarchivedFiles: number;
  /** An interrupted switchover left it to start as a standby next time. */
  readonly heldAsStandby: boolean;
}

export interface StandbyRole {
  readonly kind: "standby";
  readonly name: string;
  /** Of what it has received. */
  readonly timeline: number;
  /** The timelines that it has been on, this one last; null: it has no history of it. */
  readonly history: readonly TimelineSpan[] | null;
  readonly systemIdentifier: string;
  readonly receivedLsn: Lsn;
  readonly replayedLsn: Lsn;
  /** Whether a WAL receiver is connected to anybody. */
  readonly streaming: boolean;
  /** The node that it is connected to; null: to none. */
  readonly streamsFrom: string | null;
  /** It was restarted, and has more WAL than it can tell yet: how much shows once it has replayed all of that. */
  readonly stillReplays: boolean;
  /** recovery_min_apply_delay; 0: none. */
  readonly applyDelayMilliseconds: number;
}

/** How far a standby has got, and on which way; null: nobody knows its way, or how far. */
export const positionOf = ({ history, receivedLsn, stillReplays }: StandbyRole): LogPosition | null =>
  stillReplays ? null : history && { history, lsn: receivedLsn };

/** Its server does not answer. */
export interface DownNode {
  readonly kind: "down";
  readonly name: string;
  readonly container: ContainerState;
  /** undefined: there is no data, or nothing to look through. */
  readonly control: PgControl | undefined;
  /** The newest that it has been on; null: it has no data. Right after a promotion its last checkpoint is of an older one. */
  readonly newestTimeline: number | null;
  /** The timelines up to that of its last checkpoint; null: it has no history of it, or no data. */
  readonly history: readonly TimelineSpan[] | null;
  /** With it a server starts as a standby, whatever it was. */
  readonly standbySignal: boolean;
  readonly fence: Fence;
  readonly why: string;
  /** Of one whose engine does not answer: whether its server is heard all the same. */
  readonly isHeard: boolean;
}

/**
 * fenced: another node was made primary in its place, as the operator said. unfinished: its data was being replaced when
 * that was interrupted, and is good for nothing.
 */
export type Fence = "none" | "fenced" | "unfinished";

interface RoleRow {
  readonly standby: boolean;
  readonly timeline: number;
  readonly history: string | null;
  readonly received_timeline: number;
  readonly received_history: string | null;
  readonly system_identifier: string;
  readonly received: string;
  readonly replayed: string;
  readonly streaming: boolean;
  readonly streams_from: string | null;
  readonly still_replays: boolean;
  readonly delay: number;
  readonly oldest: number;
  readonly unarchived: number;
  readonly held: boolean;
}

/**
 * Which timeline a standby replays, it says over a replication connection only. Neither pg_control nor the history files
 * in pg_wal tell: the one may name an older timeline, the others are fetched from a primary whether they can be followed
 * or not. A standby may have received WAL of a newer timeline than it replays: whose that is says the WAL receiver, or,
 * where there is none any more, the newest file that it wrote for that position.
 */
const ROLE = `
SELECT pg_is_in_recovery() AS standby \\gset
\\set own_timeline 0
\\if :standby
\\c -reuse-previous=on "replication=database"
IDENTIFY_SYSTEM \\gset identified_
\\set own_timeline :identified_timeline
\\endif
SELECT row_to_json(answer) FROM (
  SELECT standby, timeline, received_timeline, received::text, replayed::text,
    pg_read_file('pg_wal/' || lpad(upper(to_hex(timeline)), 8, '0') || '.history', 0, 1000000, true) AS history,
    pg_read_file('pg_wal/' || lpad(upper(to_hex(received_timeline)), 8, '0') || '.history', 0, 1000000, true)
      AS received_history,
    (pg_control_system()).system_identifier::text AS system_identifier,
    EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming') AS streaming,
    (SELECT sender_host FROM pg_stat_wal_receiver WHERE status = 'streaming') AS streams_from,
    ${STILL_REPLAYS} AS still_replays,
    (SELECT setting::bigint FROM pg_settings WHERE name = 'recovery_min_apply_delay') AS delay,
    coalesce((SELECT extract(epoch FROM max(now() - xact_start))::int FROM pg_stat_activity
              WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()), 0) AS oldest,
    (SELECT count(*)::int FROM pg_ls_dir('pg_wal/archive_status') AS name WHERE name LIKE '%.ready') AS unarchived,
    (pg_stat_file('standby.signal', true)).size IS NOT NULL AS held
  FROM (SELECT standby, timeline, received, replayed,
      CASE WHEN standby AND received > replayed THEN coalesce(
        (SELECT received_tli FROM pg_stat_wal_receiver),
        (SELECT max(('x' || substr(name, 1, 8))::bit(32)::int) FROM pg_ls_dir('pg_wal') AS name
         WHERE name ~ '^[0-9A-F]{24}$' AND substr(name, 9) = (
           SELECT lpad(upper(to_hex(div(number, 4294967296 / segment)::bigint)), 8, '0')
             || lpad(upper(to_hex(mod(number, 4294967296 / segment)::bigint)), 8, '0')
           FROM (SELECT setting::bigint AS segment, div(received - '0/1', setting::numeric) AS number
                 FROM pg_settings WHERE name = 'wal_segment_size') AS file)),
        timeline) ELSE timeline END AS received_timeline
    FROM (SELECT standby,
        CASE WHEN standby THEN :own_timeline
          ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END AS timeline,
        CASE WHEN standby THEN coalesce(pg_last_wal_receive_lsn(), '0/0') ELSE pg_current_wal_lsn() END AS received,
        CASE WHEN standby THEN coalesce(pg_last_wal_replay_lsn(), '0/0') ELSE pg_current_wal_lsn() END AS replayed
      FROM (SELECT pg_is_in_recovery() AS standby) AS role) AS position) AS log) AS answer;
`;

const ANSWER_TIMEOUT_SECONDS = 4;
/** Over a slow link, asking takes a dozen round trips. */
const FAR_ANSWER_TIMEOUT_SECONDS = 10;
/** So long a standby that was just restarted is waited for: most have replayed what they have by then. */
const REPLAY_PATIENCE_MILLISECONDS = 5000;
const POLL_MILLISECONDS = 200;

/**
 * The nodes of a stack that have a container, and those that an update has given one before: their data may be there.
 * @param jobs of the nodes that there are, or were.
 */
export async function findAllNodes(environment: RoleEnvironment, jobs = environment.jobs): Promise<Node[]> {
  const found = await findNodes(environment);
  const gone = Object.entries(jobs).filter(([name]) => !found.some((node) => node.name === name));
  const nodes = gone.map(([name, { container, host, name: job }]): Node => {
    const placed = environment.placed?.find((node) => node.name === name);
    return placed ?? { name, container: container ?? job, ...(host === undefined ? {} : { host }) };
  });
  return [...found, ...nodes];
}

/** Asks all nodes side by side, as the superuser on each node's own socket. A node that does not answer is one that is down. */
export function observeRoles(nodes: readonly Node[], environment: RoleEnvironment): Promise<NodeRole[]> {
  return Promise.all(nodes.map((node) => observeRole(node, environment)));
}

/** So long one that runs may leave a question unanswered before anything is done to it. */
const SLOW_PATIENCE_MILLISECONDS = 20_000;

/**
 * The same, with patience for a standby that runs and does not answer: on a busy machine it may only be slow, and whoever
 * takes it for one that is stuck would stop it.
 */
export function observePatiently(
  nodes: readonly Node[],
  environment: RoleEnvironment,
  signal: AbortSignal | undefined,
): Promise<NodeRole[]> {
  return Promise.all(
    nodes.map((node) => {
      const ask = async (): Promise<NodeRole> => {
        signal?.throwIfAborted();
        return observeRole(node, environment);
      };
      return askPatiently(SLOW_PATIENCE_MILLISECONDS, ask, isSlow);
    }),
  );
}

/** Asks until an answer is not one to be waited out, or until patience ends: then it counts as it is. */
async function askPatiently<Role extends NodeRole>(
  patienceMilliseconds: number,
  ask: () => Promise<Role>,
  passes: (role: Role) => boolean,
): Promise<Role> {
  const deadline = performance.now() + patienceMilliseconds;
  for (;;) {
    const role = await ask();
    if (!passes(role) || performance.now() > deadline) return role;
    await sleep(POLL_MILLISECONDS);
  }
}

const isSlow = (role: NodeRole): boolean =>
  role.kind === "down" && role.container === "running" && role.standbySignal && role.fence === "none";

async function observeRole(node: Node, environment: RoleEnvironment): Promise<NodeRole> {
  try {
    return await askPatiently(
      REPLAY_PATIENCE_MILLISECONDS,
      () => askRole(node),
      (role) => role.kind === "standby" && role.stillReplays,
    );
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return downNode(node, environment, messageOf(error));
  }
}

async function askRole(node: Node): Promise<PrimaryRole | StandbyRole> {
  const seconds = node.host === undefined ? ANSWER_TIMEOUT_SECONDS : FAR_ANSWER_TIMEOUT_SECONDS;
  const answer = await withDeadline(runAsSuperuser(node, ROLE), seconds, "no answer");
  return roleOf(node.name, JSON.parse(answer) as RoleRow);
}

function roleOf(name: string, row: RoleRow): PrimaryRole | StandbyRole {
  const common = { name, systemIdentifier: row.system_identifier };
  if (!row.standby) {
    return {
      kind: "primary",
      ...common,
      timeline: row.timeline,
      writtenLsn: parseLsn(row.received),
      oldestTransactionSeconds: row.oldest,
      unarchivedFiles: row.unarchived,
      heldAsStandby: row.held,
    };
  }
  return {
    kind: "standby",
    ...common,
    ...receivedUpTo(row),
    replayedLsn: parseLsn(row.replayed),
    streaming: row.streaming,
    streamsFrom: row.streams_from,
    stillReplays: row.still_replays,
    applyDelayMilliseconds: row.delay,
  };
}

/** What was received on an older timeline than it replays, or up to an earlier position, counts for nothing. */
function receivedUpTo(row: RoleRow): Pick<StandbyRole, "timeline" | "history" | "receivedLsn"> {
  const [received, replayed] = [parseLsn(row.received), parseLsn(row.replayed)];
  return received > replayed && row.received_timeline >= row.timeline
    ? {
        timeline: row.received_timeline,
        history: readHistory(row.received_timeline, row.received_history),
        receivedLsn: received,
      }
    : { timeline: row.timeline, history: readHistory(row.timeline, row.history), receivedLsn: replayed };
}

/** What the data directory of a node says while its server is down. */
type NodeFiles = Pick<DownNode, "control" | "newestTimeline" | "history" | "standbySignal" | "fence">;

const NO_FILES: NodeFiles = {
  control: undefined,
  newestTimeline: null,
  history: null,
  standbySignal: false,
  fence: "none",
};

async function downNode(node: Node, environment: RoleEnvironment, why: string): Promise<DownNode> {
  const container = await containerState(node);
  const common = { kind: "down", name: node.name, container, why, isHeard: false } as const;
  if (container === "unreachable") return { ...common, ...NO_FILES, isHeard: await isHeard(node) };
  const files = await withFilesOf(environment, node, (through) => nodeFiles(node, through, environment));
  return { ...common, ...(files ?? NO_FILES) };
}

/** @param through a container that has the node's volume mounted. */
async function nodeFiles(
  node: Node,
  through: string,
  { dataDirectory, fenceFile }: RoleEnvironment,
): Promise<NodeFiles> {
  const docker = engineOf(node);
  const [control, standbySignal, fence] = await Promise.all([
    readPgControl(docker, through, dataDirectory),
    hasFile(docker, through, `${dataDirectory}/standby.signal`),
    readContainerFile(docker, through, fenceFile).then(fenceOf),
  ]);
  if (control === undefined) return { ...NO_FILES, standbySignal, fence };
  const { timeline } = control;
  const historyFile = (of: number): string => `${dataDirectory}/pg_wal/${historyFileName(of)}`;
  const text = timeline === 1 ? "" : await readContainerFile(docker, through, historyFile(timeline));
  let newestTimeline = timeline;
  while (await hasFile(docker, through, historyFile(newestTimeline + 1))) newestTimeline += 1;
  return { control, newestTimeline, history: readHistory(timeline, text), standbySignal, fence };
}

function fenceOf(text: string | undefined): Fence {
  if (text === undefined) return "none";
  return text.startsWith("unfinished") ? "unfinished" : "fenced";
}

const isHeard = async ({ endpoint }: Node): Promise<boolean> => endpoint !== undefined && serverAnswers(endpoint);
