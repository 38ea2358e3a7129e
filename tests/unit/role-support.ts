import { parseLsn } from "../../operations/lsn.ts";
import type { DownNode, PrimaryRole, StandbyRole } from "../../operations/observe-roles.ts";
import type { PgControl } from "../../operations/pg-control.ts";
import { parseHistory } from "../../operations/timeline-history.ts";

const SYSTEM = "7710573247014883365";
export const END = parseLsn("0/5000000");
export const FIRST = parseHistory(1, "");

export const primary = (name: string, part: Partial<PrimaryRole> = {}): PrimaryRole => ({
  kind: "primary",
  name,
  timeline: 1,
  systemIdentifier: SYSTEM,
  writtenLsn: END,
  oldestTransactionSeconds: 0,
  unarchivedFiles: 0,
  heldAsStandby: false,
  ...part,
});

export const standby = (name: string, part: Partial<StandbyRole> = {}): StandbyRole => ({
  kind: "standby",
  name,
  timeline: part.history?.at(-1)?.timeline ?? 1,
  history: FIRST,
  systemIdentifier: SYSTEM,
  receivedLsn: END,
  replayedLsn: END,
  streaming: true,
  streamsFrom: null,
  stillReplays: false,
  applyDelayMilliseconds: 0,
  ...part,
});

export const control = (part: Partial<PgControl> = {}): PgControl => ({
  systemIdentifier: SYSTEM,
  state: "in production",
  writtenAtSeconds: 0,
  checkpointLsn: END - 100n,
  redoLsn: END - 100n,
  timeline: 1,
  ...part,
});

export const down = (name: string, part: Partial<DownNode> = {}): DownNode => ({
  kind: "down",
  name,
  container: "stopped",
  control: control(),
  newestTimeline: part.control?.timeline ?? 1,
  history: FIRST,
  standbySignal: false,
  fence: "none",
  why: "its container is not running",
  isHeard: false,
  ...part,
});
