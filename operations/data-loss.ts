import { engineOf, isReachable, unlessMissing } from "./engine.ts";
import { nodeData, withDataOf } from "./node-data.ts";
import type { DataVolume } from "./node-data.ts";
import { soleCopy } from "./sole-copy.ts";
import type { NodeData } from "./sole-copy.ts";
import type { Node, StackLabels } from "./node.ts";
import type { RoleAcknowledgement } from "./role-environment.ts";

/** Losses that the stack file accepts. */
export interface AcceptedLosses {
  readonly volumes: readonly string[];
  readonly synchronous: boolean;
}

/** A volume that no server can fill again. */
export interface IrreplaceableVolume {
  readonly volume: string;
  /** What is lost with it, for example "the archived WAL". */
  readonly holds: string;
}

/** What a change of the stack file can lose. */
export interface Losable {
  readonly image: string;
  readonly labels: StackLabels;
  readonly primary: Node;
  readonly dataMount: string;
  readonly dataDirectory: string;
  readonly dataVolumes: readonly DataVolume[];
  readonly irreplaceableVolumes: readonly IrreplaceableVolume[];
  /** How many standbys a write waits for; 0: asynchronous. */
  readonly synchronousStandbys: number;
  readonly acknowledge: AcceptedLosses;
  /** Acknowledgements that earlier updates have used, for as long as they stand in the stack file. */
  readonly spent?: AcceptedLosses;
}

/** Losses that the change from `before` to `after` would cause and that nothing accepts: a sentence or two each. */
export async function refusedLosses(before: Losable, after: Losable): Promise<string[]> {
  const renamed = renamedStack(before, after);
  if (renamed.length > 0) return renamed;
  return [...(await lostData(before, after)), ...lostFiles(before, after), ...lostGuarantee(before, after)];
}

/** All names follow from project and stack: under other ones the whole topology would be deleted and founded empty. */
function renamedStack(before: Losable, after: Losable): string[] {
  const changed = Object.keys(before.labels).filter((label) => before.labels[label] !== after.labels[label]);
  return changed.map(
    (label) =>
      `the ${label.split(".").at(-1)} was ${before.labels[label]} and is now ${after.labels[label]}: all volumes would be deleted, and an empty cluster founded under new names. Rename it back.`,
  );
}

async function lostData(before: Losable, after: Losable): Promise<string[]> {
  const unaccepted = removedData(before, after).filter(({ volume }) => !accepts(before, after, volume));
  if (unaccepted.length === 0) return [];
  const found = await Promise.all(unaccepted.map((node) => dataIn(before, node)));
  // Asked last: what a standby has received by then, the primary has written before.
  const primary = await remainingPrimary(before, after);
  return unaccepted.flatMap((node, index) => {
    const reason = soleCopy(node.name, found[index] ?? { kind: "none" }, primary);
    return reason === undefined ? [] : [refusal(node.volume, reason)];
  });
}

async function dataIn(before: Losable, node: DataVolume): Promise<NodeData> {
  if (!(await isReachable(node))) return { kind: "unknown", why: `the engine of ${node.host?.name} does not answer` };
  if ((await unlessMissing(engineOf(node).getVolume(node.volume).inspect())) === undefined) return { kind: "none" };
  return withDataOf(before, node, (container) => nodeData({ ...node, container }, before.dataDirectory));
}

/** The primary of the stack file, where it has been there before and stays. */
async function remainingPrimary(
  before: Losable,
  after: Losable,
): Promise<{ readonly name: string; readonly data: NodeData }> {
  const { name } = after.primary;
  const node = before.dataVolumes.find((candidate) => candidate.name === name);
  const data = node === undefined ? undefined : await nodeData(node, before.dataDirectory);
  return { name, data: data ?? { kind: "none" } };
}

function lostFiles(before: Losable, after: Losable): string[] {
  return removedFiles(before, after)
    .filter(({ volume }) => !accepts(before, after, volume))
    .map(({ volume, holds }) => refusal(volume, `it holds ${holds}`));
}

function lostGuarantee(before: Losable, after: Losable): string[] {
  if (!isLowered(before, after)) return [];
  if (after.acknowledge.synchronous && !isSpent(before, after).synchronous) return [];
  const standbys = (count: number): string => (count === 0 ? "no standby" : `${count}`);
  return [
    `a write would wait for ${standbys(after.synchronousStandbys)} instead of ${before.synchronousStandbys}: what is written from then on can be lost with fewer nodes. If that is meant, write \`acknowledge: { synchronous: true }\` into the stack file for one update.`,
  ];
}

const refusal = (volume: string, reason: string): string =>
  `the volume ${volume} would be deleted: ${reason}. If it is not needed, write \`acknowledge: { volumes: [${volume}] }\` into the stack file for one update.`;

const isLowered = (before: Losable, after: Losable): boolean => after.synchronousStandbys < before.synchronousStandbys;

const removedData = (before: Losable, after: Losable): DataVolume[] => missing(before.dataVolumes, after.dataVolumes);

const removedFiles = (before: Losable, after: Losable): IrreplaceableVolume[] =>
  missing(before.irreplaceableVolumes, after.irreplaceableVolumes);

const missing = <T extends { readonly volume: string }>(before: readonly T[], after: readonly T[]): T[] =>
  before.filter(({ volume }) => !after.some((other) => other.volume === volume));

const accepts = (before: Losable, after: Losable, volume: string): boolean =>
  after.acknowledge.volumes.includes(volume) && !isSpent(before, after).volumes.includes(volume);

const NOTHING: AcceptedLosses = { volumes: [], synchronous: false };

/** An acknowledgement that was taken out of the stack file in between is a new one. */
function isSpent(before: Losable | undefined, { acknowledge }: Losable): AcceptedLosses {
  const spent = before?.spent ?? NOTHING;
  return {
    volumes: spent.volumes.filter((volume) => acknowledge.volumes.includes(volume)),
    synchronous: spent.synchronous && acknowledge.synchronous,
  };
}

/** The acknowledgements that this change uses, and those used before that still stand in the stack file. */
export function spentAfter(before: Losable | undefined, after: Losable): AcceptedLosses {
  const spent = isSpent(before, after);
  if (before === undefined) return spent;
  const used = [...removedData(before, after), ...removedFiles(before, after)].map(({ volume }) => volume);
  return {
    volumes: after.acknowledge.volumes.filter((volume) => used.includes(volume) || spent.volumes.includes(volume)),
    synchronous: after.acknowledge.synchronous && (spent.synchronous || isLowered(before, after)),
  };
}

/** What to say of acknowledgements that this change does not use: they may stand there for the next accident. */
export function idleAcknowledgements(before: Losable | undefined, after: Losable): string[] {
  const used = before === undefined ? [] : [...removedData(before, after), ...removedFiles(before, after)];
  const idle = after.acknowledge.volumes.filter((volume) => !used.some((removed) => removed.volume === volume));
  const isGuaranteeIdle = after.acknowledge.synchronous && (before === undefined || !isLowered(before, after));
  const spent = isSpent(before, after);
  const why = (isUsed: boolean): string =>
    isUsed ? "has been used, and counts once" : "accepts nothing of this update";
  return [
    ...idle.map((volume) => `acknowledge.volumes: ${volume} ${why(spent.volumes.includes(volume))}`),
    ...(isGuaranteeIdle ? [`acknowledge.synchronous ${why(spent.synchronous)}`] : []),
  ].map((line) => `${line}. Take it out of the stack file.`);
}

/** What of a stack file accepts that rows are lost by a change of roles. */
export interface AcceptedRoles {
  readonly primary: Node;
  readonly acknowledgement: RoleAcknowledgement;
}

/**
 * What to say of an acknowledged failover or rejoin that the last update had already. It is not used up by an update: one
 * that was interrupted is finished with it.
 */
export function standingAcknowledgements(before: AcceptedRoles | undefined, after: AcceptedRoles): string[] {
  if (before === undefined || before.primary.name !== after.primary.name) return [];
  const [old, now] = [before.acknowledgement, after.acknowledgement];
  const rejoining = now.rejoin.filter((name) => old.rejoin.includes(name));
  return [
    ...(hasSameFailover(old, now) ? ["acknowledge.failover"] : []),
    ...(rejoining.length === 0 ? [] : [`acknowledge.rejoin: ${rejoining.join(", ")}`]),
  ].map(
    (line) =>
      `${line} stands in the stack file since an earlier update, and would accept the next loss too: take it out, unless this update ends what that one began.`,
  );
}

function hasSameFailover(old: RoleAcknowledgement, now: RoleAcknowledgement): boolean {
  const unfenced = ({ unfenced: names = [] }: RoleAcknowledgement): string => names.join();
  return (
    now.failoverLostBytes !== null && old.failoverLostBytes === now.failoverLostBytes && unfenced(old) === unfenced(now)
  );
}
