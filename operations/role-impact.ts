import { OperationError } from "./errors.ts";
import { acceptedFailover, describeFailover, refusedFailover } from "./failover.ts";
import type { SynchronousGuarantee } from "./synchronous.ts";
import { foreseeRejoins } from "./foresee-rejoins.ts";
import { foreseeRoles } from "./foresee-roles.ts";
import type { ForeseenDecision, ForeseenRoles } from "./foresee-roles.ts";
import type { Impact } from "./impact.ts";
import { bytesBehind } from "./lsn.ts";
import type { PrimaryRole, StandbyRole } from "./observe-roles.ts";
import type { RejoinContext } from "./rejoin.ts";
import type { RoleEnvironment } from "./role-environment.ts";

/** Measured: what a switchover of a topology without long-running work takes. */
const EXPECTED_WRITE_GAP_SECONDS = 0.4;

export interface RoleImpact {
  readonly impact: Impact;
  /** null: it cannot be told. */
  readonly decided: ForeseenDecision["kind"] | null;
}

/**
 * What it will take to make a node the only primary. Nothing is changed.
 * @param jobs of the nodes that the last update left.
 */
export async function roleImpact(
  context: RejoinContext,
  wanted: string,
  guarantee: SynchronousGuarantee | null,
  jobs: RoleEnvironment["jobs"],
): Promise<RoleImpact> {
  const { environment } = context;
  const dispensable = context.acknowledgement.rejoin;
  const foreseen = await foreseeRoles(environment, { wanted, guarantee, jobs, dispensable });
  if (foreseen === undefined) throw new OperationError(`${wanted} has no container`);
  return { impact: await impactOf(context, wanted, foreseen), decided: foreseen.decision.kind };
}

async function impactOf(
  context: RejoinContext,
  wanted: string,
  { nodes, roles, decision }: ForeseenRoles,
): Promise<Impact> {
  switch (decision.kind) {
    case "none": {
      const rejoins = await foreseeRejoins(context, nodes, roles, wanted);
      const message = [`${wanted} is the primary already`, ...rejoins.map(({ line }) => line)].join("\n");
      return { level: rejoins.some(({ isRefused }) => isRefused) ? "refused" : "reload", nodes: [wanted], message };
    }
    case "start":
      return {
        level: "unknown",
        nodes: decision.nodes,
        message: `${decision.nodes.join(", ")} is started first: what follows depends on what it says`,
      };
    case "unfence":
      return { level: "restart", nodes: [wanted], message: takenBack(wanted) };
    case "switchover":
      return {
        level: "switchover",
        nodes: [decision.from.name, decision.to.name],
        message: switchoverLines(decision).join("\n"),
      };
    case "promote":
      return {
        level: "switchover",
        nodes: [wanted],
        message: `nobody takes writes, and ${wanted} has every row: it is promoted, no row is lost`,
      };
    case "failover": {
      const { facts, from } = decision;
      const refusal = refusedFailover(facts, from, acceptedFailover(context.acknowledgement));
      const message = refusal ?? describeFailover(facts, from).join("\n");
      return { level: refusal === undefined ? "switchover" : "refused", nodes: [from.name, wanted], message };
    }
    case "refused":
      return { level: "refused", nodes: [wanted], message: decision.reason };
  }
}

/** Of a failover that was interrupted before it changed a role. */
export const takenBack = (node: string): string =>
  `${node} was fenced, but nobody was promoted in its place: it is started as the primary again, no row is lost`;

function switchoverLines({ from, to }: { readonly from: PrimaryRole; readonly to: StandbyRole }): string[] {
  const behindBytes = bytesBehind(to.replayedLsn, from.writtenLsn);
  return [
    `switchover: ${from.name} to ${to.name}, write gap about ${EXPECTED_WRITE_GAP_SECONDS} s, no row is lost, no container is replaced`,
    `  slots on ${to.name}; checkpoint and clean stop of ${from.name}; ${to.name} replays its last record and is promoted; ${from.name} follows`,
    `  ${to.name} is ${behindBytes} bytes behind, on timeline ${to.timeline}`,
    ...longTransactionLine(from),
    ...(from.unarchivedFiles > 1 ? [`  ${from.unarchivedFiles} WAL files of ${from.name} are not archived yet`] : []),
  ];
}

const longTransactionLine = ({ name, oldestTransactionSeconds }: PrimaryRole): string[] =>
  oldestTransactionSeconds < 5
    ? []
    : [`  a transaction on ${name} has run for ${oldestTransactionSeconds} s: it is cut off`];
