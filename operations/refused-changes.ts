import { movedBackups } from "./backup-place.ts";
import type { BackupPlace } from "./backup-place.ts";
import { readContainerFile } from "./container-file.ts";
import type { WhenStandbyMissing } from "./degrade.ts";
import type { OnHost } from "./docker-host.ts";
import { EngineGoneError, engineOf, inspectContainer } from "./engine.ts";
import { acceptedFailover, guaranteeUntilNow, refusedFailover } from "./failover.ts";
import type { SynchronousGuarantee } from "./synchronous.ts";
import { foreseeRoles } from "./foresee-roles.ts";
import type { WantedRoles } from "./foresee-roles.ts";
import type { DataVolume } from "./node-data.ts";
import { findNodes } from "./node.ts";
import type { Node } from "./node.ts";
import type { NodeRole } from "./observe-roles.ts";
import { refusedSubnet } from "./refused-subnet.ts";
import type { ChosenNetwork } from "./refused-subnet.ts";
import { refusedTurns } from "./refused-turns.ts";
import type { Turning } from "./refused-turns.ts";
import type { RoleAcknowledgement } from "./role-environment.ts";

/** What cannot be changed in a running topology by writing another value into the stack file. */
export interface LastingChoices extends ChosenNetwork, BackupPlace, Turning {
  readonly postgresMajor: number;
  readonly acknowledgement: RoleAcknowledgement;
  readonly guarantee: SynchronousGuarantee | null;
  readonly whenStandbyMissing: WhenStandbyMissing;
  readonly dataVolumes: readonly DataVolume[];
  readonly deletionProtection: boolean;
}

/** Changes that would do harm, or that this version cannot make, each with what to do instead. */
export async function refusedChanges(before: LastingChoices, after: LastingChoices): Promise<string[]> {
  const refused = await Promise.all([
    majorChange(before, after),
    primaryChange(before, after),
    refusedTurns(before, after),
    refusedSubnet(before, after),
    movedBackups(before, after),
  ]);
  return [...refused.flat(), ...protectedRemoval(before, after), ...movedNodes(before, after)];
}

/** Pulumi itself would refuse only when it comes to the volume: the server before it would be gone by then. */
function protectedRemoval(before: LastingChoices, after: LastingChoices): string[] {
  if (!before.deletionProtection) return [];
  const staying = new Set(after.dataVolumes.map(({ volume }) => volume));
  const removed = before.dataVolumes.map(({ volume }) => volume).filter((volume) => !staying.has(volume));
  if (removed.length === 0) return [];
  return [
    `${removed.join(", ")} would be removed, which deletionProtection forbids. Set \`deletionProtection: false\` and run an update, then remove the node.`,
  ];
}

/** Its volumes would be made anew on the other engine, empty, and the old ones deleted. */
function movedNodes(before: LastingChoices, after: LastingChoices): string[] {
  return after.dataVolumes.flatMap((node) => {
    const { name } = node;
    const old = before.dataVolumes.find((candidate) => candidate.name === name);
    if (old === undefined || old.host?.name === node.host?.name) return [];
    return [
      `${name} would move from ${placeName(old)} to ${placeName(node)}, and its data does not move with it. Add another node there, make it the primary if ${name} is, and then remove ${name}.`,
    ];
  });
}

const placeName = ({ host }: OnHost): string => host?.name ?? "the engine of this machine";

/** Before a cluster is founded, an update may have failed for the very reason that is being mended. */
async function majorChange(before: LastingChoices, after: LastingChoices): Promise<string[]> {
  if (before.postgresMajor === after.postgresMajor) return [];
  const founded = await foundedMajor(before);
  if (founded === undefined || founded === after.postgresMajor) return [];
  const reason = `the cluster is one of PostgreSQL ${founded}, and a server of PostgreSQL ${after.postgresMajor} cannot open its files. Name an image of major ${founded}; to change the major, make a second stack and move the data with pg_dump.`;
  return [reason];
}

/** What the data of any node says; undefined: no node has data. */
async function foundedMajor(choices: LastingChoices): Promise<number | undefined> {
  const nodes = await findNodes(choices);
  for (const node of nodes) {
    const version = await readContainerFile(
      engineOf(node),
      node.container,
      `${choices.environment.dataDirectory}/PG_VERSION`,
    ).catch(unlessUnreachable(node));
    if (version !== undefined) return Number(version);
  }
  return undefined;
}

/** Another node tells as well. */
const unlessUnreachable =
  ({ host }: Node) =>
  (error: unknown): undefined => {
    if (host !== undefined && error instanceof EngineGoneError) return undefined;
    throw error;
  };

/** Only where the stack file names another primary: what else is wrong with roles is told by the topology itself. */
async function primaryChange(before: LastingChoices, after: LastingChoices): Promise<string[]> {
  if (before.primary.name === after.primary.name) return primaryStart(before, after);
  const guarantee = guaranteeUntilNow(before.guarantee, after.whenStandbyMissing);
  const foreseen = await foreseeRoles(after.environment, { ...wantedOf(before, after), guarantee });
  if (foreseen === undefined) return (await foundedMajor(before)) === undefined ? [] : newPrimary(before, after);
  const { decision, roles } = foreseen;
  if (!roles.some(isFounded)) return [];
  if (decision.kind === "refused") return [decision.reason];
  if (decision.kind !== "failover") return [];
  const refusal = refusedFailover(decision.facts, decision.from, acceptedFailover(after.acknowledgement));
  return refusal === undefined ? [] : [refusal];
}

const isFounded = (role: NodeRole): boolean =>
  role.kind !== "down" || (role.container !== "missing" && role.control !== undefined);

const wantedOf = (
  before: LastingChoices,
  { primary, acknowledgement }: LastingChoices,
): Omit<WantedRoles, "guarantee"> => ({
  wanted: primary.name,
  jobs: before.environment.jobs,
  dispensable: acknowledgement.rejoin,
});

/** Only of one that is stopped, while nobody takes writes: what runs the topology looks at itself. */
async function primaryStart(before: LastingChoices, after: LastingChoices): Promise<string[]> {
  const { primary } = after;
  const container = await inspectContainer(engineOf(primary), primary.container).catch(unlessUnreachable(primary));
  if (container === undefined || container.State.Running) return [];
  const wanted = { ...wantedOf(before, after), asked: false, guarantee: null };
  const foreseen = await foreseeRoles(after.environment, wanted);
  if (foreseen?.decision.kind !== "refused" || foreseen.roles.some(({ kind }) => kind === "primary")) return [];
  return [foreseen.decision.reason];
}

/** A node has to be a standby before it can be the primary. */
const newPrimary = (before: LastingChoices, after: LastingChoices): string[] => [
  `${after.primary.name} has no server yet. Add it as a standby first, with \`primary: ${before.primary.name}\`, and change the primary in an update of its own.`,
];
