import { STATUS_VERSION } from "../../operations/status-schema.ts";
import type { NodeStatus, StackStatus } from "../../operations/status-schema.ts";

export const PRIMARY: NodeStatus = {
  name: "node-1",
  container: "pg-topology-dev-node-1",
  role: "primary",
  state: "running",
  timeline: 2,
  endpoint: { host: "127.0.0.1", port: 5455 },
  upstream: null,
  syncState: null,
  walLsn: "0/3000200",
  replayLagBytes: null,
  replayLagSeconds: null,
  slot: null,
  tls: null,
  version: "17.6",
  startedAt: "2026-11-21T11:00:00.000Z",
  pendingRestart: [],
  certificateEndsAt: "2027-11-21T12:00:00.000Z",
  waitingCommits: 0,
};
export const STANDBY: NodeStatus = {
  ...PRIMARY,
  name: "node-2",
  role: "standby",
  state: "streaming",
  upstream: "node-1",
  syncState: "async",
  replayLagBytes: 1536,
  replayLagSeconds: 3.4,
  slot: { name: "node_2", active: true, retainedBytes: 0, secondsUntilLost: null },
  tls: true,
  certificateEndsAt: "2027-10-01T12:00:00.000Z",
};
/** A degraded stack of two nodes with a backup server. */
export const STATUS: StackStatus = {
  version: STATUS_VERSION,
  project: "pg-topology",
  stack: "dev",
  at: "2026-11-21T12:00:00.000Z",
  condition: "degraded",
  nodes: [PRIMARY, STANDBY],
  timelines: [
    {
      timeline: 2,
      parent: 1,
      forkLsn: "0/3000148",
      reason: "promotion",
      firstSeenOn: "node-1",
      firstSeenAt: "2026-11-21T11:30:12.000Z",
    },
  ],
  divergences: [],
  backup: {
    container: "pg-topology-dev-barman",
    state: "running",
    restorable: 2,
    newest: { id: "20261121T020001", endedAt: "2026-11-21T02:00:09.000Z", ageSeconds: 35_991, sizeBytes: 32_000_000 },
    lastDrill: {
      backup: "20261121T020001",
      at: "2026-11-21T02:10:00.000Z",
      ageSeconds: 35_400,
      rtoSeconds: 4.2,
      rpoSeconds: 0.3,
      failure: null,
    },
    failedChecks: [],
    freeBytes: 1_000_000_000,
  },
  problems: [{ kind: "replay-paused", node: "node-2", what: "replay is paused", why: "it is old", run: "`npm start`" }],
};
