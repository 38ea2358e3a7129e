import prettyBytes from "pretty-bytes";
import type { ImpactLevel } from "./impact.ts";
import { parseLsn } from "./lsn.ts";
import type { NodeObservation, PendingParameter, ServerObservation, WalSender } from "./observe.ts";
import type { Slot } from "./slots.ts";
import { SYNCHRONOUS_STANDBY_NAMES, missingStandbys } from "./synchronous.ts";
import { reservedSlots, standbysOf, waitingSlots } from "./topology.ts";
import type { NodeOutline, TopologyOutline } from "./topology.ts";
import { cloneInWords, durationInWords } from "./wording.ts";

/** Something that is not as the topology shall be. */
export interface Finding {
  readonly kind: FindingKind;
  readonly node: string;
  readonly what: string;
  /** What an update does about it; null: nothing, a person has to decide. */
  readonly remedy: string | null;
}

export const FINDING_KINDS = [
  "container-gone",
  "container-stopped",
  "container-paused",
  "held-by-guard",
  "no-answer",
  "engine-unreachable",
  "unexpected-role",
  "held-as-standby",
  "not-streaming",
  "slot-missing",
  "slot-unused",
  "wal-gone",
  "wal-kept",
  "backup-wal-gone",
  "backup-wal-kept",
  "commits-waiting",
  "synchronous-degraded",
  "file-refused",
  "restart-pending",
  "altered-system",
  "replay-paused",
] as const;

export type FindingKind = (typeof FINDING_KINDS)[number];

const RESTARTING = "it is restarted, in the right order";
const STOPPED = "its container is stopped";

/** The remedy for what passes by itself: a server that recovers, a standby that connects again. */
const WAITING = "it is waited for";

const CLONED_AGAIN = "a new base backup of it is taken";

/** What clients notice of the remedy. */
export function levelOf({ what, remedy }: Finding): ImpactLevel {
  if (remedy === null) return "refused";
  return remedy === RESTARTING || remedy.startsWith(CLONED_AGAIN) || what === STOPPED ? "restart" : "reload";
}

export const passesByItself = (finding: Finding): boolean => finding.remedy === WAITING;

/** Compares what the nodes say with what shall be. Pure: the same observations give the same findings. */
export function findings(shape: TopologyOutline, observations: readonly NodeObservation[]): Finding[] {
  const servers = new Map(observations.flatMap((node) => (node.answers ? [[node.name, node.server] as const] : [])));
  return [
    ...observations.flatMap(unanswered),
    ...shape.nodes.flatMap((node) => roleFindings(node, servers.get(node.name))),
    ...standbysOf(shape).flatMap((node) => streamingFindings(node, servers)),
    ...shape.nodes.flatMap((node) => slotFindings(shape, node, servers.get(node.name))),
    ...standbysOf(shape).flatMap((node) =>
      keptWalFindings(node, servers.get(node.name), servers.get(node.upstream ?? "")),
    ),
    ...shape.nodes.flatMap((node) => backupWalFindings(shape, node, servers.get(node.name))),
    ...[...servers].flatMap(([name, server]) => commitFindings(name, server)),
    ...shape.nodes.flatMap((node) => fileFindings(node, servers.get(node.name))),
    ...shape.nodes.flatMap((node) => byHandFindings(node, servers.get(node.name))),
  ];
}

function unanswered(node: NodeObservation): Finding[] {
  if (node.answers) return [];
  const { name, container, why } = node;
  switch (container) {
    case "missing": {
      const remedy = "run `pulumi up --refresh`, which makes a new one";
      return [{ kind: "container-gone", node: name, what: "its container is gone", remedy }];
    }
    case "stopped":
      return [{ kind: "container-stopped", node: name, what: STOPPED, remedy: "it is started" }];
    case "paused":
      return [{ kind: "container-paused", node: name, what: "its container is paused", remedy: "it is resumed" }];
    case "held": {
      const what = "its guard keeps it from starting as a primary";
      return [{ kind: "held-by-guard", node: name, what, remedy: "it rejoins" }];
    }
    case "unreachable": {
      const what = `it does not answer, and neither does the engine of its host (${why})`;
      return [{ kind: "engine-unreachable", node: name, what, remedy: null }];
    }
    case "running":
      return [{ kind: "no-answer", node: name, what: `it does not answer (${why})`, remedy: WAITING }];
  }
}

function roleFindings(node: NodeOutline, server: ServerObservation | undefined): Finding[] {
  if (server === undefined) return [];
  const expected = node.upstream === null ? "primary" : "standby";
  if (server.role === expected) return [];
  const what =
    server.role === "primary"
      ? promotedByHand(node, server)
      : `it is a standby on timeline ${server.timeline}, and the stack file makes it the primary`;
  return [{ kind: "unexpected-role", node: node.name, what, remedy: null }];
}

function promotedByHand({ name }: NodeOutline, { timeline, promotedAt }: ServerObservation): string {
  const since = promotedAt === null ? "" : ` since ${promotedAt}`;
  return (
    `it is primary on timeline ${timeline}${since}, and the stack file makes it a standby. ` +
    `Set \`primary: ${name}\` to adopt it; or, if its rows since then are not wanted, stop it (docker stop): the next update lets it rejoin as a standby. Neither is done unasked`
  );
}

function streamingFindings(node: NodeOutline, servers: ReadonlyMap<string, ServerObservation>): Finding[] {
  const upstream = servers.get(node.upstream ?? "");
  const own = servers.get(node.name);
  if (upstream === undefined || own?.role !== "standby" || followsLate(node, own, upstream)) return [];
  const problem = streamingProblem(node, upstream);
  return problem === undefined ? [] : [{ kind: "not-streaming", node: node.name, what: problem, remedy: WAITING }];
}

/** undefined: the node is not connected to its upstream. */
export const senderTo = ({ name }: NodeOutline, { senders }: ServerObservation): WalSender | undefined =>
  senders.find(({ applicationName }) => applicationName === name);

/** Whether a delayed standby is not connected because it is still at what it received before. It will be, by itself. */
export const followsLate = (node: NodeOutline, own: ServerObservation, upstream: ServerObservation): boolean =>
  own.appliesLate && senderTo(node, upstream) === undefined;

/** Whether its upstream has no longer what comes next for a standby: it never streams again by itself. */
export const lacksWal = (node: NodeOutline, own: ServerObservation, upstream: ServerObservation): boolean =>
  own.role === "standby" &&
  !own.stillReplays &&
  senderTo(node, upstream) === undefined &&
  parseLsn(own.walLsn) < parseLsn(upstream.oldestWalLsn);

/** Why a standby does not count as replicating; undefined: it streams over TLS from its own slot. */
export function streamingProblem(node: NodeOutline, upstream: ServerObservation): string | undefined {
  const sender = senderTo(node, upstream);
  if (sender === undefined) return `it does not stream from ${node.upstream}`;
  if (sender.state !== "streaming") return `its replication from ${node.upstream} is in state ${sender.state}`;
  if (!sender.ssl) return `it streams from ${node.upstream} without TLS`;
  if (sender.slot !== node.slot) return `it streams from ${node.upstream} without its slot ${node.slot}`;
  return undefined;
}

function slotFindings(shape: TopologyOutline, node: NodeOutline, server: ServerObservation | undefined): Finding[] {
  if (server === undefined) return [];
  const slots = new Map(server.slots.map((slot) => [slot.name, slot]));
  const waiting = waitingSlots(shape, node);
  const missing = [...reservedSlots(shape, node), ...waiting].filter((name) => !slots.has(name));
  const useless = waiting.filter((name) => {
    const slot = slots.get(name);
    return slot !== undefined && !slot.active && slot.restartLsn !== null;
  });
  const retired = (shape.retiredSlots ?? []).filter((name) => slots.get(name)?.active === false);
  return [
    ...missing.map((name): Finding => {
      return { kind: "slot-missing", node: node.name, what: `slot ${name} is missing`, remedy: "it is made" };
    }),
    ...useless.map((name): Finding => {
      const what = `slot ${name} keeps WAL for nobody`;
      return { kind: "slot-unused", node: node.name, what, remedy: "it is made anew" };
    }),
    ...retired.map((name): Finding => {
      const what = `slot ${name} is of nobody that is left`;
      return { kind: "slot-unused", node: node.name, what, remedy: "it is dropped" };
    }),
  ];
}

/** What is further away than a month is no forecast: an idle primary would lose it in years. */
const FORECAST_SECONDS = 30 * 86_400;

/** What its upstream keeps for a standby, which is lost one day if the standby stays away. */
function keptWalFindings(
  node: NodeOutline,
  own: ServerObservation | undefined,
  upstream: ServerObservation | undefined,
): Finding[] {
  if (upstream === undefined) return [];
  const slot = upstream.slots.find(({ name }) => name === node.slot);
  if (own !== undefined && lacksWal(node, own, upstream) && !hasArchive(node)) {
    const what = `${node.upstream} has no longer the WAL that it needs: its own ends at ${own.walLsn}, and that of ${node.upstream} begins at ${upstream.oldestWalLsn}`;
    return [{ kind: "wal-gone", node: node.name, what, remedy: CLONED_AGAIN }];
  }
  if (slot === undefined) return [];
  if (slot.lostCloneBytes !== null) {
    const what = `${node.upstream} has no longer the WAL that it needs: it was away for more than max_slot_wal_keep_size`;
    const cloned = `${CLONED_AGAIN}, ${cloneInWords(slot.lostCloneBytes)}, from the primary`;
    const remedy = hasArchive(node) ? "it is fetched from the archive" : cloned;
    return [{ kind: "wal-gone", node: node.name, what, remedy }];
  }
  if (slot.secondsUntilLost === null || slot.secondsUntilLost > FORECAST_SECONDS) return [];
  const what = `${node.upstream} keeps WAL for it, and at the present rate loses it in about ${durationInWords(slot.secondsUntilLost)}`;
  return [{ kind: "wal-kept", node: node.name, what, remedy: WAITING }];
}

/**
 * What the primary keeps for a backup server: told when more than half of what it may keep is taken. Not by the time
 * that is left: a receiver that finds its disk full comes and goes, and each time the slot counts as just used.
 */
function backupWalFindings(
  shape: TopologyOutline,
  node: NodeOutline,
  server: ServerObservation | undefined,
): Finding[] {
  if (server === undefined || node.upstream !== null) return [];
  return server.slots
    .filter(({ name }) => shape.otherSlots.includes(name))
    .flatMap((slot) => backupSlotFinding(node, slot));
}

function backupSlotFinding({ name: node }: NodeOutline, slot: Slot): Finding[] {
  if (slot.lostCloneBytes !== null) {
    const what = "it has no longer the WAL that the backup server needs: more was written than max_slot_wal_keep_size";
    return [finding("backup-wal-gone", node, what, "the slot is made anew, and another base backup is taken")];
  }
  const { active, retainedBytes, bytesUntilLost } = slot;
  if (active || retainedBytes === null || bytesUntilLost === null || retainedBytes < bytesUntilLost) return [];
  const what = `it keeps ${prettyBytes(retainedBytes)} of WAL for the backup server, which does not receive it, and loses that after ${prettyBytes(bytesUntilLost)} more`;
  return [finding("backup-wal-kept", node, what, WAITING)];
}

/** A standby fetches from there what its upstream has no longer. */
export const hasArchive = ({ parameters }: NodeOutline): boolean => (parameters["restore_command"] ?? "") !== "";

/** A commit is confirmed within milliseconds: one that takes longer waits for somebody who is not there. */
const WAITS_TOO_LONG_SECONDS = 2;

function commitFindings(node: string, { role, synchronous, senders }: ServerObservation): Finding[] {
  if (role === "standby") return [];
  const { waitingCommits, oldestWaitSeconds } = synchronous;
  const waiting =
    waitingCommits === 0 ? "" : `; ${inCommits(waitingCommits)}, the oldest for ${durationInWords(oldestWaitSeconds)}`;
  const missing = missingStandbys(synchronous.names, senders);
  if (missing !== undefined) {
    const what = `commits wait for ${missing.needed} of ${missing.names.join(", ")}, and ${missing.present} can confirm them${waiting}`;
    return [{ kind: "commits-waiting", node, what, remedy: WAITING }];
  }
  if (oldestWaitSeconds < WAITS_TOO_LONG_SECONDS) return [];
  return [{ kind: "commits-waiting", node, what: waiting.slice("; ".length), remedy: WAITING }];
}

const inCommits = (count: number): string => (count === 1 ? "1 commit waits" : `${count} commits wait`);

function fileFindings({ name, parameters }: NodeOutline, server: ServerObservation | undefined): Finding[] {
  if (server === undefined) return [];
  const errors = server.fileErrors.map((what) => finding("file-refused", name, what, WRITTEN_AGAIN));
  return [...errors, ...pendingFindings(name, parameters, server.pendingRestart)];
}

const WRITTEN_AGAIN = "its files are written again, by a reload";

/** A server may run with what it shall, and wait for a restart with something else. */
function pendingFindings(
  node: string,
  wanted: NodeOutline["parameters"],
  pending: readonly PendingParameter[],
): Finding[] {
  const isRight = ({ name, running }: PendingParameter): boolean => wanted[name] === running;
  const [waiting, right] = [pending.filter((parameter) => !isRight(parameter)), pending.filter(isRight)].map(
    (parameters) => parameters.map(({ name }) => name).join(", "),
  );
  const back = "its files say otherwise than the stack file, and it would come back with that";
  return [
    ...(waiting ? [finding("restart-pending", node, `${waiting} waits for a restart`, RESTARTING)] : []),
    ...(right ? [finding("restart-pending", node, `${right}: ${back}`, WRITTEN_AGAIN)] : []),
  ];
}

function byHandFindings(outline: NodeOutline, server: ServerObservation | undefined): Finding[] {
  if (server === undefined) return [];
  const { name: node, parameters } = outline;
  const { alteredSystem, replayPaused } = server;
  const withoutStandbys = alteredSystem.filter((name) => name !== SYNCHRONOUS_STANDBY_NAMES);
  const isUnpromised = server.role === "primary" && withoutStandbys.length < alteredSystem.length;
  const others = isUnpromised ? withoutStandbys : alteredSystem;
  const altered = `ALTER SYSTEM has set ${others.join(", ")}, past the stack file`;
  return [
    ...(isUnpromised ? [unpromised(node, server.synchronous.names, parameters[SYNCHRONOUS_STANDBY_NAMES])] : []),
    ...(others.length === 0 ? [] : [finding("altered-system", node, altered, "it is reset")]),
    ...(replayPaused ? [finding("replay-paused", node, "replay is paused", "it is resumed")] : []),
  ];
}

function unpromised(node: string, names: string, wanted: string | undefined): Finding {
  if (names === wanted) {
    const what = `commits wait for ${names}, and whether those have what was committed before is not confirmed`;
    return finding("synchronous-degraded", node, what, "it is waited for until they have");
  }
  const what = `commits wait for ${names === "" ? "no standby" : `${names} only`}, past the stack file`;
  return finding("synchronous-degraded", node, what, "all are waited for again once they stream");
}

const finding = (kind: FindingKind, node: string, what: string, remedy: string): Finding => ({
  kind,
  node,
  what,
  remedy,
});
