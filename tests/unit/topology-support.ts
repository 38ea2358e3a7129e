import type { NodeObservation, ServerObservation, WalSender } from "../../operations/observe.ts";
import type { ShapedNode, TopologyShape } from "../../operations/topology.ts";

export const shaped = (name: string, upstream: string | null): ShapedNode => ({
  name,
  container: `container-of-${name}`,
  upstream,
  slot: name.replaceAll("-", "_"),
  parameters: {},
  serverFiles: {
    image: "postgres:17",
    volume: `configuration-of-${name}`,
    mount: "/etc/pg-topology",
    files: [{ path: "/etc/pg-topology/pg_hba.conf", content: "# rules", mode: 0o640 }],
    uid: 999,
    labels: {},
  },
});

/** A primary, a standby of it, and one that cascades from that. */
export const SHAPE: TopologyShape = {
  nodes: [shaped("node-1", null), shaped("node-2", "node-1"), shaped("node-3", "node-2")],
  otherSlots: [],
  operator: { user: "operator", password: "secret", certificateAuthorityPem: "" },
};

export const sender = (of: string, part: Partial<WalSender> = {}): WalSender => ({
  applicationName: of,
  state: "streaming",
  syncState: "async",
  slot: of.replaceAll("-", "_"),
  ssl: true,
  replayLagBytes: 0,
  replayLagSeconds: null,
  ...part,
});

const PLAIN: ServerObservation = {
  role: "standby",
  systemIdentifier: "7710573247014883365",
  timeline: 1,
  walLsn: "0/3000000",
  replayLsn: "0/3000000",
  slots: [],
  senders: [],
  pendingRestart: [],
  fileErrors: [],
  alteredSystem: [],
  replayPaused: false,
  appliesLate: false,
  stillReplays: false,
  oldestWalLsn: "0/1000000",
  promotedAt: null,
  synchronous: { names: "", waitingCommits: 0, oldestWaitSeconds: 0 },
};

export const slot = (name: string, kind: "active" | "kept" | "unreserved") => ({
  name,
  active: kind === "active",
  restartLsn: kind === "unreserved" ? null : "0/3000000",
  retainedBytes: kind === "unreserved" ? null : 0,
  lostCloneBytes: null,
  secondsUntilLost: null,
  bytesUntilLost: null,
});

/** What the servers of SHAPE say when all is well. */
export const HEALTHY: Readonly<Record<"node-1" | "node-2" | "node-3", ServerObservation>> = {
  "node-1": {
    ...PLAIN,
    role: "primary",
    senders: [sender("node-2")],
    slots: [slot("node_2", "active"), slot("node_3", "unreserved")],
  },
  "node-2": {
    ...PLAIN,
    senders: [sender("node-3")],
    slots: [slot("node_1", "unreserved"), slot("node_3", "active")],
  },
  "node-3": { ...PLAIN, slots: [slot("node_1", "unreserved"), slot("node_2", "unreserved")] },
};

export type NodeName = keyof typeof HEALTHY;

/** Everybody says that all is well, but for what is given. */
export function observations(
  differences: Partial<Record<NodeName, Partial<ServerObservation> | Exclude<NodeObservation, { answers: true }>>>,
): NodeObservation[] {
  return (Object.keys(HEALTHY) as NodeName[]).map((name): NodeObservation => {
    const difference = differences[name] ?? {};
    if ("answers" in difference) return difference;
    return { name, answers: true, server: { ...HEALTHY[name], ...difference } };
  });
}
