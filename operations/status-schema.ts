import { z } from "zod";
import { PROBLEM_KINDS } from "./advice.ts";

/** Another number means that programs that read the old one have to change. What is only added keeps it. */
export const STATUS_VERSION = 1;

const bytes = z.int().nonnegative();
const seconds = z.number().nonnegative();
const moment = z.iso.datetime();

const endpoint = z.strictObject({ host: z.string(), port: z.int() });

const slot = z.strictObject({
  name: z.string(),
  active: z.boolean().describe("whether somebody streams from it"),
  retainedBytes: bytes.nullable().describe("WAL that it keeps; null: it keeps nothing"),
  secondsUntilLost: seconds
    .nullable()
    .describe(
      "forecast of a slot that nobody uses: when it has more to keep than `max_slot_wal_keep_size`, at the rate since it was last used; null: it is in use, keeps nothing, or the server does not say (before PostgreSQL 17)",
    ),
});

const node = z.strictObject({
  name: z.string(),
  container: z.string().nullable().describe("null: only its volumes are left"),
  role: z.enum(["primary", "standby"]).nullable().describe("null: its server does not answer"),
  state: z
    .string()
    .describe(
      "of a standby what its upstream says of it, such as `streaming`; else `running`, `no answer`, or what its container is",
    ),
  timeline: z.int().nullable(),
  endpoint: endpoint.nullable().describe("where clients reach it; null: it is not published, or not running"),
  upstream: z.string().nullable().describe("the node that sends to it"),
  syncState: z.string().nullable().describe("`sync`, `quorum`, `potential` or `async`, as its upstream says"),
  walLsn: z
    .string()
    .nullable()
    .describe("position in the WAL: on a primary the last that it wrote, on a standby the last that it received"),
  replayLagBytes: z.int().nullable(),
  replayLagSeconds: seconds.nullable().describe("null: nothing was written lately"),
  slot: slot.nullable().describe("what its upstream keeps for it"),
  tls: z.boolean().nullable().describe("whether it streams over TLS; null: it does not stream"),
  version: z.string().nullable().describe("of PostgreSQL"),
  startedAt: moment.nullable().describe("when its server was started"),
  pendingRestart: z.array(z.string()).describe("parameters that wait for a restart"),
  certificateEndsAt: moment.nullable().describe("of its TLS certificate"),
  waitingCommits: z.int().nonnegative().describe("commits that wait for a standby at this moment"),
});

const timeline = z.strictObject({
  timeline: z.int(),
  parent: z.int(),
  forkLsn: z.string().describe("where it parted from its parent"),
  reason: z.string().describe("`promotion`, or the target of a recovery in the server's words"),
  firstSeenOn: z
    .string()
    .describe("the node with the oldest copy of the history file: the promoted one, while it has its data"),
  firstSeenAt: moment.describe("when that copy was written; the timeline is no younger"),
});

const divergence = z.strictObject({
  forkLsn: z.string().nullable().describe("the last position that they share; null: it cannot be told"),
  nodes: z.array(
    z.strictObject({
      name: z.string(),
      timeline: z.int(),
      ownBytes: bytes.nullable().describe("WAL that it wrote after that position"),
    }),
  ),
});

const backup = z.strictObject({
  container: z.string(),
  state: z
    .string()
    .describe("of the container of the backup server, or `no answer`; `unreachable`: its host does not answer"),
  restorable: z.int().nonnegative().nullable().describe("backups that can be restored; null: it does not answer"),
  newest: z
    .strictObject({
      id: z.string(),
      endedAt: moment.nullable(),
      ageSeconds: seconds.nullable(),
      sizeBytes: bytes.describe("of its files; their WAL comes on top"),
    })
    .nullable()
    .describe("the newest that can be restored"),
  lastDrill: z
    .strictObject({
      backup: z.string().describe("what was restored"),
      at: moment,
      ageSeconds: seconds,
      rtoSeconds: seconds.nullable().describe("from the decision to restore to a server that answers"),
      rpoSeconds: seconds.nullable().describe("what a loss of the primary when it began would have cost"),
      failure: z.string().nullable().describe("null: all was well"),
    })
    .nullable()
    .describe("null: there was none yet, or the backup server does not answer"),
  failedChecks: z.array(z.string()).nullable().describe("of `barman check`; null: it did not end in time"),
  freeBytes: bytes.nullable().describe("of the volume that it keeps everything in"),
});

const problem = z.strictObject({
  kind: z.enum(PROBLEM_KINDS).describe("a section of the [runbook](../runbook.md)"),
  node: z.string().nullable().describe("null: it concerns the whole topology, or its backups"),
  what: z.string(),
  why: z.string().describe("why it matters"),
  run: z.string().describe("what to do about it"),
});

/** What `npm run --silent status -- --json` prints. */
export const stackStatus = z.strictObject({
  version: z.literal(STATUS_VERSION),
  project: z.string(),
  stack: z.string(),
  at: moment,
  condition: z
    .enum(["healthy", "degraded", "down"])
    .describe("down: no node takes writes; degraded: one does, and there are problems"),
  nodes: z.array(node).describe("those that have a container, or a volume"),
  timelines: z.array(timeline).describe("how each timeline that a node knows of came to be, oldest first"),
  divergences: z.array(divergence).describe("nodes that wrote after they had parted"),
  backup: backup.nullable().describe("null: the stack has no backup server"),
  problems: z.array(problem),
});

export type StackStatus = Readonly<z.infer<typeof stackStatus>>;
export type NodeStatus = Readonly<z.infer<typeof node>>;
export type TimelineStatus = Readonly<z.infer<typeof timeline>>;
export type DivergenceStatus = Readonly<z.infer<typeof divergence>>;
export type BackupStatus = Readonly<z.infer<typeof backup>>;
export type Problem = Readonly<z.infer<typeof problem>>;
export type Condition = StackStatus["condition"];
