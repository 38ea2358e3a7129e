import { ADVICE } from "./advice.ts";
import { roomWanting } from "./backup-room.ts";
import type { ProblemKind } from "./advice.ts";
import { RENEWAL_DAYS, daysUntil } from "./certificate-expiry.ts";
import { findings } from "./findings.ts";
import { heldAsStandby } from "./left-over-hold.ts";
import type { NodeObservation } from "./observe.ts";
import type { BackupStatus, DivergenceStatus, Problem } from "./status-schema.ts";
import type { TopologyOutline } from "./topology.ts";

/** Everything that a status has seen. */
export interface Seen {
  readonly stack: string;
  readonly now: Date;
  readonly observations: readonly NodeObservation[];
  /** undefined: nobody takes writes. */
  readonly outline: TopologyOutline | undefined;
  readonly containers: ReadonlyMap<string, string>;
  readonly certificateEnds: ReadonlyMap<string, Date>;
  /** Nodes whose next start is one as a standby. */
  readonly withStandbySignal: readonly string[];
  readonly divergences: readonly DivergenceStatus[];
  readonly backup: BackupStatus | null;
}

/** What is wrong, the worst first. Pure: the same observations give the same problems. */
export function problems(seen: Seen): Problem[] {
  return [
    ...primaryProblems(seen),
    ...divergenceProblems(seen),
    ...findingProblems(seen),
    ...slotProblems(seen),
    ...certificateProblems(seen),
    ...backupProblems(seen),
  ];
}

function problem({ stack, containers, backup }: Seen, kind: ProblemKind, node: string | null, what: string): Problem {
  const container = (node === null ? backup?.container : containers.get(node)) ?? "";
  const { why, run } = ADVICE[kind];
  return { kind, node, what, why, run: run({ stack, container }) };
}

const takingWrites = ({ observations }: Seen): string[] =>
  observations.flatMap((node) => (node.answers && node.server.role === "primary" ? [node.name] : []));

function primaryProblems(seen: Seen): Problem[] {
  const primaries = takingWrites(seen);
  if (primaries.length === 1) return [];
  if (primaries.length === 0) return [problem(seen, "no-primary", null, "no node takes writes")];
  return [problem(seen, "two-primaries", null, `${primaries.join(" and ")} take writes`)];
}

function divergenceProblems(seen: Seen): Problem[] {
  return seen.divergences.flatMap((divergence) => {
    const other = divergence.nodes[1];
    return other === undefined ? [] : [problem(seen, "diverged", other.name, parted(divergence))];
  });
}

/** As it follows the name of the second node. */
function parted({ forkLsn, nodes: [primary, other] }: DivergenceStatus): string {
  if (primary === undefined || other === undefined) throw new Error("a divergence is of two nodes");
  if (forkLsn === null) {
    return `it and ${primary.name} have both written (timelines ${other.timeline} and ${primary.timeline}), and where they parted cannot be told`;
  }
  return `it has parted from ${primary.name} at ${forkLsn}: since then it has ${other.ownBytes} bytes of its own on timeline ${other.timeline}, and ${primary.name} ${primary.ownBytes} on timeline ${primary.timeline}`;
}

/**
 * The same as a preview finds. Which node shall be the primary only the stack file knows; and where nobody takes writes,
 * nobody is whom a standby should stream from.
 */
function findingProblems(seen: Seen): Problem[] {
  const { observations, outline } = seen;
  const shape = outline ?? { nodes: [], otherSlots: [] };
  const held = takingWrites(seen).filter((name) => seen.withStandbySignal.includes(name));
  return [...findings(shape, observations), ...held.map(heldAsStandby)]
    .filter(({ kind }) => kind !== "unexpected-role")
    .map(({ kind, node, what }) => problem(seen, kind, node, kind === "held-by-guard" ? inItsWords(seen, node) : what));
}

/** In the guard's own words. */
function inItsWords({ observations }: Seen, node: string): string {
  const why = observations.flatMap((one) => (one.name === node && !one.answers ? [one.why] : []));
  return `its guard keeps it from starting (${why.join("")})`;
}

/** A stack on one engine is known by what is there: of a standby that is gone with its data, only its slot is left. */
function slotProblems(seen: Seen): Problem[] {
  const { observations, outline } = seen;
  const known = [...(outline?.nodes ?? []).map(({ slot }) => slot), ...(outline?.otherSlots ?? [])];
  return observations.flatMap((node) => {
    if (!node.answers || node.server.role !== "primary") return [];
    const kept = node.server.slots.filter(({ active, restartLsn }) => !active && restartLsn !== null);
    return kept
      .filter(({ name }) => !known.includes(name))
      .map(({ name }) =>
        problem(seen, "slot-of-nobody", node.name, `its slot ${name} is kept for somebody who is gone`),
      );
  });
}

function certificateProblems(seen: Seen): Problem[] {
  return [...seen.certificateEnds].flatMap(([node, end]) => {
    const days = daysUntil(end, seen.now);
    if (days > RENEWAL_DAYS) return [];
    const what = days < 0 ? "its certificate has ended" : `its certificate ends in ${days} days`;
    return [problem(seen, "certificate-ending", node, `${what}, on ${end.toISOString().slice(0, 10)}`)];
  });
}

function backupProblems(seen: Seen): Problem[] {
  const { backup } = seen;
  if (backup === null) return [];
  const told = (kind: ProblemKind, what: string): Problem => problem(seen, kind, null, what);
  const wanting = backup.freeBytes === null ? undefined : roomWanting(backup.freeBytes, backup.newest ?? undefined);
  return [
    ...(wanting === undefined ? [] : [told("backup-volume-full", `the backup server: ${wanting}`)]),
    ...answerProblems(backup, told),
  ];
}

function answerProblems(backup: BackupStatus, told: (kind: ProblemKind, what: string) => Problem): Problem[] {
  if (backup.state === "no answer") return [told("backup-no-answer", "the backup server does not answer in time")];
  if (backup.state === "unreachable")
    return [told("backup-no-answer", "the engine of the backup server's host does not answer")];
  if (backup.restorable === null) return [told("backup-server-stopped", `the backup server is ${backup.state}`)];
  return [
    ...(backup.restorable === 0 ? [told("backup-missing", "no backup can be restored")] : []),
    ...(backup.failedChecks === null ? [told("backup-no-answer", "`barman check` has not ended in time")] : []),
    ...(backup.failedChecks ?? []).map((check) => told("backup-check-failed", `the backup server: ${check}`)),
    ...drillFailure(backup).map((what) => told("drill-failed", what)),
    ...oldDrill(backup).map((what) => told("drill-too-old", what)),
  ];
}

const drillFailure = ({ lastDrill }: BackupStatus): string[] => {
  const failure = lastDrill?.failure ?? null;
  return failure === null ? [] : [`the drill of the backup ${lastDrill?.backup} failed: ${firstSentence(failure)}`];
};

const DAY_SECONDS = 86_400;
/** Every update drills a backup that is newer than the last one that was drilled; without updates nobody does. */
const DRILL_MAXIMUM_AGE_DAYS = 7;

function oldDrill({ newest, lastDrill }: BackupStatus): string[] {
  if (newest === null || lastDrill === null || lastDrill.failure !== null || newest.id === lastDrill.backup) return [];
  const days = Math.floor(lastDrill.ageSeconds / DAY_SECONDS);
  if (lastDrill.ageSeconds <= DRILL_MAXIMUM_AGE_DAYS * DAY_SECONDS) return [];
  return [
    `the newest backup, ${newest.id}, was never drilled, and the last drill, of ${lastDrill.backup}, was ${days} days ago`,
  ];
}

const firstSentence = (text: string): string => text.split("\n")[0]?.replace(/\.$/, "") ?? text;
