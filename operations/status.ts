import type Docker from "dockerode";
import { lastLogLines } from "./engine.ts";
import { OperationError, messageOf } from "./errors.ts";
import { labelFilters, listedEndpoint } from "./node.ts";
import type { HostPort, StackLabels } from "./node.ts";
import { SELF, SENDERS, walSender } from "./observe.ts";
import type { PendingParameter, SelfRow, SenderRow, WalSender } from "./observe.ts";
import { runAsSuperuser } from "./superuser.ts";
import { withDeadline } from "./with-deadline.ts";

/** A stack as it is now: read from the labels of its Docker objects and from its servers, not from any state. */
export interface StackStatus {
  readonly condition: Condition;
  readonly nodes: readonly NodeStatus[];
  /** One sentence each. */
  readonly problems: readonly string[];
}

/** Down: no node takes writes. Degraded: one does, but something else is not as it should be. */
export type Condition = "healthy" | "degraded" | "down";

export interface NodeStatus {
  readonly name: string;
  /** null: only its volumes are left. */
  readonly container: string | null;
  /** null: its server does not answer. */
  readonly role: "primary" | "standby" | null;
  /** Of a standby what its upstream says of it, such as "streaming"; else the state of the server or the container. */
  readonly state: string;
  readonly timeline: number | null;
  /** Where clients reach it; null: it is not published, or not running. */
  readonly endpoint: HostPort | null;
  readonly upstream: string | null;
  readonly syncState: string | null;
  readonly replayLagBytes: number | null;
  readonly slot: string | null;
  /** Whether it streams over TLS; null: it does not stream. */
  readonly tls: boolean | null;
}

const ANSWER_TIMEOUT_SECONDS = 2;

/**
 * Asks the engine for the nodes of a stack, and all nodes side by side for what they know. A node that does not answer
 * in time is reported as such: this never waits longer.
 */
export async function stackStatus(docker: Docker, labels: StackLabels, nodeLabel: string): Promise<StackStatus> {
  const found = await foundNodes(docker, labels, nodeLabel);
  const answers = await Promise.all(found.map(async (node) => ({ ...node, answer: await ask(docker, node) })));
  const nodes = answers.map((node) => nodeStatus(node, answers));
  const problems = [...primaryProblems(nodes), ...answers.flatMap((node, index) => nodeProblems(node, nodes[index]))];
  const hasPrimary = nodes.some((node) => node.role === "primary");
  return { condition: hasPrimary ? (problems.length > 0 ? "degraded" : "healthy") : "down", nodes, problems };
}

interface FoundNode {
  readonly name: string;
  readonly container: Docker.ContainerInfo | undefined;
}

/** Nodes with a container, and those of which only the volumes are left. */
async function foundNodes(docker: Docker, labels: StackLabels, nodeLabel: string): Promise<FoundNode[]> {
  const filters = { label: [...labelFilters(labels), nodeLabel] };
  const [containers, { Volumes: volumes }] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listVolumes({ filters }),
  ]);
  const byName = new Map(containers.map((container) => [container.Labels[nodeLabel], container]));
  const names = new Set([...byName.keys(), ...volumes.map((volume) => volume.Labels[nodeLabel])]);
  return [...names]
    .flatMap((name) => (name === undefined ? [] : { name, container: byName.get(name) }))
    .toSorted((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}

type Answer =
  | { readonly kind: "answered"; readonly self: SelfRow; readonly senders: readonly WalSender[] }
  | { readonly kind: "silent"; readonly why: string }
  | { readonly kind: "not running" };

interface AnsweredNode extends FoundNode {
  readonly answer: Answer;
}

const SELF_AND_SENDERS = `SELECT json_build_object(
  'self', (SELECT row_to_json(self) FROM (${SELF}) AS self),
  'senders', (SELECT coalesce(json_agg(sender), '[]') FROM (${SENDERS}) AS sender));
`;

async function ask(docker: Docker, { name, container }: FoundNode): Promise<Answer> {
  if (container?.State !== "running") return { kind: "not running" };
  try {
    const asked = runAsSuperuser(docker, { name, container: container.Id }, SELF_AND_SENDERS);
    const answer = await withDeadline(asked, ANSWER_TIMEOUT_SECONDS, "no answer");
    const { self, senders } = JSON.parse(answer) as { self: SelfRow; senders: SenderRow[] };
    return { kind: "answered", self, senders: senders.map(walSender) };
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { kind: "silent", why: await whySilent(docker, container, messageOf(error)) };
  }
}

/** The guard says why it keeps a server from starting, which tells more than psql's "no such socket". */
async function whySilent(docker: Docker, container: Docker.ContainerInfo, message: string): Promise<string> {
  const lastLine = await lastLogLines(docker, container.Id, 1).catch(() => "");
  return lastLine.startsWith("guard: ") ? lastLine.slice("guard: ".length) : message;
}

function nodeStatus(node: AnsweredNode, all: readonly AnsweredNode[]): NodeStatus {
  const { name, container, answer } = node;
  const streaming = senderOf(name, all);
  const answered = answer.kind === "answered" ? answer.self : undefined;
  return {
    name,
    container: container?.Names[0]?.replace(/^\//, "") ?? null,
    role: answered === undefined ? null : answered.standby ? "standby" : "primary",
    state: stateOf(node, streaming?.sender),
    timeline: answered?.timeline ?? null,
    endpoint: container === undefined ? null : listedEndpoint(container),
    upstream: streaming?.upstream ?? null,
    syncState: streaming?.sender.syncState ?? null,
    replayLagBytes: streaming?.sender.replayLagBytes ?? null,
    slot: streaming?.sender.slot ?? null,
    tls: streaming?.sender.ssl ?? null,
  };
}

function stateOf({ container, answer }: AnsweredNode, sender: WalSender | undefined): string {
  if (container === undefined) return "container gone";
  switch (answer.kind) {
    case "not running":
      return container.State;
    case "silent":
      return "no answer";
    case "answered":
      if (!answer.self.standby) return "running";
      return sender?.state ?? "not streaming";
  }
}

/** Who sends to a node. A base backup that is being taken for it has a sender as well. */
function senderOf(name: string, all: readonly AnsweredNode[]): { upstream: string; sender: WalSender } | undefined {
  const senders = all.flatMap(({ name: upstream, answer }) =>
    answer.kind === "answered" ? answer.senders.map((sender) => ({ upstream, sender })) : [],
  );
  const own = senders.filter(({ sender }) => sender.applicationName === name);
  return own.find(({ sender }) => sender.state === "streaming") ?? own[0];
}

function primaryProblems(nodes: readonly NodeStatus[]): string[] {
  const primaries = nodes.filter((node) => node.role === "primary");
  if (nodes.length === 0 || primaries.length === 1) return [];
  if (primaries.length === 0) return ["No node takes writes."];
  const names = primaries.map((node) => `${node.name} (timeline ${node.timeline ?? "?"})`).join(" and ");
  return [`More than one node takes writes: ${names}. Stop the one whose rows are not wanted.`];
}

function nodeProblems({ name, container, answer }: AnsweredNode, status: NodeStatus | undefined): string[] {
  if (container === undefined) {
    return [`${name}: its container is gone; its volumes are there. pulumi up --refresh makes a new container.`];
  }
  switch (answer.kind) {
    case "not running":
      return [`${name}: its container is ${container.State} (${container.Status}). npm start brings it back.`];
    case "silent":
      return [`${name}: its server does not answer: ${answer.why}.`.replace(/\.\.$/, ".")];
    case "answered":
      return [...streamingProblems(answer.self, status), ...restartProblems(name, answer.self.pending_restart)];
  }
}

function streamingProblems(self: SelfRow, status: NodeStatus | undefined): string[] {
  if (!self.standby || status === undefined) return [];
  const { name, state, upstream, tls, slot } = status;
  if (upstream === null) return [`${name}: it streams from no other node.`];
  if (state !== "streaming") return [`${name}: its replication from ${upstream} is in state ${state}.`];
  return [
    ...(tls === true ? [] : [`${name}: it streams from ${upstream} without TLS.`]),
    ...(slot === null ? [`${name}: it streams from ${upstream} without a slot, so that WAL it needs may go.`] : []),
  ];
}

function restartProblems(name: string, pending: readonly PendingParameter[]): string[] {
  if (pending.length === 0) return [];
  const names = pending.map((parameter) => parameter.name).join(", ");
  return [`${name}: ${names} waits for a restart. npm start restarts it in the right order.`];
}
