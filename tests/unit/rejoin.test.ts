import { describe, expect, test } from "vitest";
import { parseLsn } from "../../operations/lsn.ts";
import type { DownNode, StandbyRole } from "../../operations/observe-roles.ts";
import type { PgControl } from "../../operations/pg-control.ts";
import { cannotFollow } from "../../operations/rejoin.ts";
import { parseHistory } from "../../operations/timeline-history.ts";

const FORK = parseLsn("0/3000000");
const FIRST = parseHistory(1, "");
const PRIMARY = parseHistory(2, "1\t0/3000000\tno recovery target specified\n");
const TWIN = parseHistory(2, "1\t0/2000000\tno recovery target specified\n");

const standby = (part: Partial<StandbyRole>): StandbyRole => ({
  kind: "standby",
  name: "node-2",
  timeline: part.history?.at(-1)?.timeline ?? 1,
  history: FIRST,
  systemIdentifier: "7300000000000000000",
  receivedLsn: FORK,
  replayedLsn: FORK,
  streaming: true,
  streamsFrom: null,
  stillReplays: false,
  applyDelayMilliseconds: 0,
  ...part,
});

const control = (part: Partial<PgControl>): PgControl => ({
  systemIdentifier: "7300000000000000000",
  state: "in archive recovery",
  writtenAtSeconds: 0,
  checkpointLsn: FORK - 100n,
  redoLsn: FORK - 100n,
  timeline: 1,
  ...part,
});

const stopped = (part: Partial<DownNode>): DownNode => ({
  kind: "down",
  name: "node-2",
  container: "stopped",
  control: control({}),
  newestTimeline: 1,
  history: FIRST,
  standbySignal: true,
  fence: "none",
  why: "its container is exited",
  isHeard: false,
  ...part,
});

const isStuck = (node: StandbyRole | DownNode): boolean => cannotFollow([node], PRIMARY).length > 0;

describe("of a standby that runs", () => {
  test.each([
    ["follows from before the fork", standby({ replayedLsn: FORK - 8n }), false],
    ["follows on the primary's own timeline", standby({ history: PRIMARY, replayedLsn: FORK + 800n }), false],
    ["has only received what it can leave at the fork", standby({ receivedLsn: FORK + 8n }), false],
    ["has replayed what the primary does not have", standby({ replayedLsn: FORK + 8n }), true],
    ["was promoted to a timeline of the same number", standby({ history: TWIN, replayedLsn: FORK }), true],
    ["does not know its way", standby({ history: null }), true],
  ])("one that %s", (_what, node, stuck) => {
    expect(isStuck(node)).toBe(stuck);
  });
});

describe("of a standby that is stopped", () => {
  test.each([
    ["was on the primary's own timeline", stopped({ control: control({ timeline: 2 }), history: PRIMARY }), false],
    ["was on an older one: its log has to be read", stopped({}), true],
    ["was on one of the same number", stopped({ control: control({ timeline: 2 }), history: TWIN }), true],
    [
      "was the primary, and stopped cleanly before the fork",
      stopped({ control: control({ state: "shut down" }) }),
      false,
    ],
    [
      "was the primary, and wrote on behind the fork",
      stopped({ control: control({ state: "shut down", checkpointLsn: FORK + 8n }) }),
      true,
    ],
    ["does not know its way", stopped({ control: control({ timeline: 3 }), history: null }), true],
    ["has no container, and is left alone", stopped({ container: "missing" }), false],
  ])("one that %s", (_what, node, stuck) => {
    expect(isStuck(node)).toBe(stuck);
  });
});
