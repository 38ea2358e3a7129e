import type Docker from "dockerode";
import { askNode } from "./ask-node.ts";
import type { NodeAnswer } from "./ask-node.ts";
import { backupStatus } from "./backup-status.ts";
import type { NamedBarman } from "./backup-status.ts";
import { placesOf } from "./docker-host.ts";
import type { DockerHost, OnHost } from "./docker-host.ts";
import { EngineGoneError, engineOf, promptEngine } from "./engine.ts";
import { messageOf } from "./errors.ts";
import { labelFilters, listedEndpoint } from "./node.ts";
import type { Node, NodeMarks } from "./node.ts";
import type { ServerObservation, WalSender } from "./observe.ts";
import { outlineOf, primaryAmong } from "./outline.ts";
import { problems } from "./problems.ts";
import { STATUS_VERSION } from "./status-schema.ts";
import type { Condition, NodeStatus, StackStatus } from "./status-schema.ts";
import { divergences, timelineStarts } from "./timelines.ts";
import type { ServerHistory } from "./timelines.ts";
import type { TopologyOutline } from "./topology.ts";

/** A stack by its names: that is all a status knows before it asks. */
export interface StackOnEngine extends NodeMarks {
  readonly project: string;
  readonly stack: string;
  readonly hosts?: readonly DockerHost[];
  readonly slotOf: (node: string) => string;
  /** Where its backup server is, if it has one, and the slot that it streams from. */
  readonly barman: NamedBarman & { readonly slot: string };
}

/**
 * A stack as it is now: read from the labels of its Docker objects and from its servers, not from any state. All nodes
 * are asked side by side, and one that does not answer in time is reported as such: this never waits longer.
 */
export async function stackStatus(stack: StackOnEngine): Promise<StackStatus> {
  const now = new Date();
  // Where there are hosts, and a backup server on none of them, the stack has none.
  const hasBackups = stack.hosts === undefined || stack.barman.host !== undefined;
  const [nodes, backup] = await Promise.all([askAll(stack), hasBackups ? backupStatus(stack.barman, now) : null]);
  const seen = nodes.map(({ name, slot, answer }) => {
    return { name, slot, server: serverOf(answer), restoreCommand: answer.details?.restoreCommand ?? "" };
  });
  const primary = primaryAmong(seen);
  const outline = outlineOf(seen, primary, backup === null ? [] : [stack.barman.slot]);
  const histories = nodes.flatMap(historyOf);
  const writable = histories.find(({ name }) => name === primary);
  const parted =
    writable === undefined
      ? []
      : divergences(
          writable,
          histories.filter((history) => history !== writable),
        );
  const found = problems({
    stack: stack.stack,
    now,
    observations: nodes.map(({ answer }) => answer.observation),
    outline,
    containers: new Map(nodes.map(({ name, container }) => [name, container])),
    certificateEnds: new Map(nodes.flatMap(certificateEnd)),
    withStandbySignal: nodes.flatMap(({ name, answer }) => (answer.details?.hasStandbySignal ? [name] : [])),
    divergences: parted,
    backup,
  });
  return {
    version: STATUS_VERSION,
    project: stack.project,
    stack: stack.stack,
    at: now.toISOString(),
    condition: conditionOf(primary, found.length),
    nodes: nodes.map((node) => nodeStatus(node, nodes, outline)),
    timelines: timelineStarts(histories),
    divergences: parted,
    backup,
    problems: found,
  };
}

const conditionOf = (primary: string | undefined, problemCount: number): Condition =>
  primary === undefined ? "down" : problemCount > 0 ? "degraded" : "healthy";

interface AskedNode extends Node {
  readonly slot: string;
  readonly listed: Docker.ContainerInfo | undefined;
  readonly answer: NodeAnswer;
}

/** Nodes with a container, those of which only the volumes are left, and those of the last update of which nothing is. */
async function askAll(stack: StackOnEngine): Promise<AskedNode[]> {
  const asked = (await Promise.all(placesOf(stack).map((on) => askPlace(on, stack)))).flat();
  const found = new Set(asked.map(({ name }) => name));
  const lost = (stack.placed ?? []).filter(({ name }) => !found.has(name));
  const all = [...asked, ...lost.map((node) => unseen(node, stack, goneNode(node.name)))];
  return all.toSorted((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}

const unseen = (node: Node, { slotOf }: StackOnEngine, answer: NodeAnswer): AskedNode => ({
  ...node,
  slot: slotOf(node.name),
  listed: undefined,
  answer,
});

/** Of a host whose engine does not answer, the nodes that the last update put there are told as not to be reached. */
async function askPlace(on: OnHost, stack: StackOnEngine): Promise<AskedNode[]> {
  try {
    await promptEngine(on);
    return await askEngine(on, stack);
  } catch (error) {
    const { host } = on;
    if (host === undefined || !(error instanceof EngineGoneError)) throw error;
    const planned = (stack.placed ?? []).filter((node) => node.host?.name === host.name);
    const answer = (name: string): NodeAnswer => ({
      observation: { name, answers: false, container: "unreachable", why: messageOf(error) },
      details: null,
    });
    return planned.map((node) => unseen(node, stack, answer(node.name)));
  }
}

async function askEngine(on: OnHost, { labels, nodeLabel, slotOf }: StackOnEngine): Promise<AskedNode[]> {
  const docker = engineOf(on);
  const filters = { label: [...labelFilters(labels), nodeLabel] };
  const [containers, { Volumes: volumes }] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listVolumes({ filters }),
  ]);
  const byName = new Map(containers.map((container) => [container.Labels[nodeLabel], container]));
  const names = new Set([...byName.keys(), ...volumes.map((volume) => volume.Labels[nodeLabel])]);
  const asked = [...names].map(async (name): Promise<AskedNode[]> => {
    if (name === undefined) return [];
    const listed = byName.get(name);
    const container = listed?.Names[0]?.replace(/^\//, "") ?? "";
    const answer = listed === undefined ? goneNode(name) : await askNode({ name, container, ...on });
    return [{ name, container, ...on, slot: slotOf(name), listed, answer }];
  });
  return (await Promise.all(asked)).flat();
}

const goneNode = (name: string): NodeAnswer => ({
  observation: { name, answers: false, container: "missing", why: "its container is gone" },
  details: null,
});

const serverOf = ({ observation }: NodeAnswer): ServerObservation | undefined =>
  observation.answers ? observation.server : undefined;

function historyOf({ name, answer }: AskedNode): ServerHistory[] {
  const server = serverOf(answer);
  return server === undefined ? [] : [{ name, server, histories: answer.details?.histories ?? [] }];
}

function certificateEnd({ name, answer: { details } }: AskedNode): [string, Date][] {
  const end = details?.certificateEndsAt;
  return end === undefined || end === null ? [] : [[name, end]];
}

function nodeStatus(node: AskedNode, all: readonly AskedNode[], outline: TopologyOutline | undefined): NodeStatus {
  const { name, container, listed, answer } = node;
  const { details } = answer;
  const server = serverOf(answer);
  const streaming = senderOf(name, all);
  return {
    name,
    container: container === "" ? null : container,
    role: server?.role ?? null,
    state: stateOf(node, streaming?.sender),
    timeline: server?.timeline ?? null,
    endpoint: listed === undefined ? null : listedEndpoint(listed),
    upstream: streaming?.upstream ?? null,
    syncState: streaming?.sender.syncState ?? null,
    walLsn: server?.walLsn ?? null,
    replayLagBytes: streaming?.sender.replayLagBytes ?? null,
    replayLagSeconds: streaming?.sender.replayLagSeconds ?? null,
    slot: slotFor(node, all, outline),
    tls: streaming?.sender.ssl ?? null,
    version: details?.version ?? null,
    startedAt: details?.startedAt.toISOString() ?? null,
    pendingRestart: server?.pendingRestart.map((parameter) => parameter.name) ?? [],
    certificateEndsAt: details?.certificateEndsAt?.toISOString() ?? null,
    waitingCommits: server?.synchronous.waitingCommits ?? 0,
  };
}

function slotFor(
  { name, slot }: AskedNode,
  all: readonly AskedNode[],
  outline: TopologyOutline | undefined,
): NodeStatus["slot"] {
  const upstream = outline?.nodes.find((node) => node.name === name)?.upstream;
  const sending = all.find((node) => node.name === upstream);
  const found = sending && serverOf(sending.answer)?.slots.find((candidate) => candidate.name === slot);
  if (found === undefined) return null;
  const { active, retainedBytes, secondsUntilLost } = found;
  return { name: slot, active, retainedBytes, secondsUntilLost };
}

function stateOf({ listed, answer: { observation } }: AskedNode, sender: WalSender | undefined): string {
  if (!observation.answers && observation.container === "unreachable") return "unreachable";
  if (listed === undefined) return "container gone";
  if (!observation.answers) return listed.State === "running" ? "no answer" : listed.State;
  return observation.server.role === "primary" ? "running" : (sender?.state ?? "not streaming");
}

/** Who sends to a node. A base backup that is being taken for it has a sender as well. */
function senderOf(name: string, all: readonly AskedNode[]): { upstream: string; sender: WalSender } | undefined {
  const senders = all.flatMap(({ name: upstream, answer }) =>
    (serverOf(answer)?.senders ?? []).map((sender) => ({ upstream, sender })),
  );
  const own = senders.filter(({ sender }) => sender.applicationName === name);
  return own.find(({ sender }) => sender.state === "streaming") ?? own[0];
}
