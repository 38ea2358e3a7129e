import type { ImpactLevel } from "./impact.ts";
import type { NodeObservation, ServerObservation } from "./observe.ts";
import { reservedSlots, standbysOf, waitingSlots } from "./topology.ts";
import type { ShapedNode, TopologyShape } from "./topology.ts";

/** Something that is not as the topology shall be. */
export interface Finding {
  readonly node: string;
  readonly what: string;
  /** What an update does about it; null: nothing, a person has to decide. */
  readonly remedy: string | null;
}

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
export function findings(shape: TopologyShape, observations: readonly NodeObservation[]): Finding[] {
  const servers = new Map(observations.flatMap((node) => (node.answers ? [[node.name, node.server] as const] : [])));
  return [
    ...observations.flatMap(unanswered),
    ...shape.nodes.flatMap((node) => roleFindings(node, servers.get(node.name))),
    ...standbysOf(shape).flatMap((node) => streamingFindings(node, servers)),
    ...shape.nodes.flatMap((node) => slotFindings(shape, node, servers.get(node.name))),
    ...standbysOf(shape).flatMap((node) => keptWalFindings(node, servers.get(node.upstream ?? ""))),
    ...[...servers].flatMap(([name, server]) => fileFindings(name, server)),
    ...[...servers].flatMap(([name, server]) => byHandFindings(name, server)),
  ];
}

function unanswered(node: NodeObservation): Finding[] {
  if (node.answers) return [];
  switch (node.container) {
    case "missing":
      return [
        { node: node.name, what: "its container is gone", remedy: "run `pulumi up --refresh`, which makes a new one" },
      ];
    case "stopped":
      return [{ node: node.name, what: STOPPED, remedy: "it is started" }];
    case "paused":
      return [{ node: node.name, what: "its container is paused", remedy: "it is resumed" }];
    case "held":
      return [{ node: node.name, what: "its guard keeps it from starting as a primary", remedy: "it rejoins" }];
    case "running":
      return [{ node: node.name, what: `it does not answer (${node.why})`, remedy: WAITING }];
  }
}

function roleFindings(node: ShapedNode, server: ServerObservation | undefined): Finding[] {
  if (server === undefined) return [];
  const expected = node.upstream === null ? "primary" : "standby";
  if (server.role === expected) return [];
  if (server.role === "primary") return [{ node: node.name, what: promotedByHand(node, server), remedy: null }];
  const what = `it is a standby on timeline ${server.timeline}, and the stack file makes it the primary`;
  return [{ node: node.name, what, remedy: null }];
}

function promotedByHand({ name }: ShapedNode, { timeline, promotedAt }: ServerObservation): string {
  const since = promotedAt === null ? "" : ` since ${promotedAt}`;
  return (
    `it is primary on timeline ${timeline}${since}, and the stack file makes it a standby. ` +
    `Set \`primary: ${name}\` to adopt it; or, if its rows since then are not wanted, stop it (docker stop): the next update lets it rejoin as a standby. Neither is done unasked`
  );
}

function streamingFindings(node: ShapedNode, servers: ReadonlyMap<string, ServerObservation>): Finding[] {
  const upstream = servers.get(node.upstream ?? "");
  if (upstream === undefined || servers.get(node.name)?.role !== "standby") return [];
  const problem = streamingProblem(node, upstream);
  return problem === undefined ? [] : [{ node: node.name, what: problem, remedy: WAITING }];
}

/** Why a standby does not count as replicating; undefined: it streams over TLS from its own slot. */
export function streamingProblem(node: ShapedNode, upstream: ServerObservation): string | undefined {
  const sender = upstream.senders.find((candidate) => candidate.applicationName === node.name);
  if (sender === undefined) return `it does not stream from ${node.upstream}`;
  if (sender.state !== "streaming") return `its replication from ${node.upstream} is in state ${sender.state}`;
  if (!sender.ssl) return `it streams from ${node.upstream} without TLS`;
  if (sender.slot !== node.slot) return `it streams from ${node.upstream} without its slot ${node.slot}`;
  return undefined;
}

function slotFindings(shape: TopologyShape, node: ShapedNode, server: ServerObservation | undefined): Finding[] {
  if (server === undefined) return [];
  const slots = new Map(server.slots.map((slot) => [slot.name, slot]));
  const waiting = waitingSlots(shape, node);
  const missing = [...reservedSlots(shape, node), ...waiting].filter((name) => !slots.has(name));
  const useless = waiting.filter((name) => {
    const slot = slots.get(name);
    return slot !== undefined && !slot.active && slot.restartLsn !== null;
  });
  return [
    ...missing.map((name) => ({ node: node.name, what: `slot ${name} is missing`, remedy: "it is made" })),
    ...useless.map((name) => ({
      node: node.name,
      what: `slot ${name} keeps WAL for nobody`,
      remedy: "it is made anew",
    })),
  ];
}

/** What its upstream keeps for a standby, which is lost one day if the standby stays away. */
function keptWalFindings(node: ShapedNode, upstream: ServerObservation | undefined): Finding[] {
  const slot = upstream?.slots.find(({ name }) => name === node.slot);
  if (slot === undefined) return [];
  if (slot.lostCloneBytes !== null) {
    const what = `${node.upstream} has no longer the WAL that it needs: it was away for more than max_slot_wal_keep_size`;
    const cloned = `${CLONED_AGAIN}, ${Math.ceil(slot.lostCloneBytes / 1e6)} MB from the primary`;
    return [{ node: node.name, what, remedy: hasArchive(node) ? "it is fetched from the archive" : cloned }];
  }
  if (slot.secondsUntilLost === null) return [];
  const what = `${node.upstream} keeps WAL for it, and at the present rate loses it in about ${inWords(slot.secondsUntilLost)}`;
  return [{ node: node.name, what, remedy: WAITING }];
}

/** A standby fetches from there what its upstream has no longer. */
export const hasArchive = ({ parameters }: ShapedNode): boolean => (parameters["restore_command"] ?? "") !== "";

function inWords(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 2 * 3600) return `${Math.round(seconds / 60)} min`;
  return seconds < 48 * 3600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}

function fileFindings(node: string, server: ServerObservation): Finding[] {
  const errors = server.fileErrors.map((what) => ({ node, what, remedy: null }));
  if (server.pendingRestart.length === 0) return errors;
  const names = server.pendingRestart.map((parameter) => parameter.name).join(", ");
  return [...errors, { node, what: `${names} waits for a restart`, remedy: RESTARTING }];
}

function byHandFindings(node: string, { alteredSystem, replayPaused }: ServerObservation): Finding[] {
  const altered = `ALTER SYSTEM has set ${alteredSystem.join(", ")}, past the stack file`;
  return [
    ...(alteredSystem.length === 0 ? [] : [{ node, what: altered, remedy: "it is reset" }]),
    ...(replayPaused ? [{ node, what: "replay is paused", remedy: "it is resumed" }] : []),
  ];
}
