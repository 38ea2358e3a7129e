import { OperationError } from "./errors.ts";
import { describeFailover } from "./failover.ts";
import type { SynchronousGuarantee } from "./failover.ts";
import { foreseeRoles } from "./foresee-roles.ts";
import type { Impact } from "./impact.ts";
import { bytesBehind } from "./lsn.ts";
import type { Node } from "./node.ts";
import type { DownNode, NodeRole, PrimaryRole, StandbyRole } from "./observe-roles.ts";
import { cannotFollow, describeRung, planRejoin, primaryHistory } from "./rejoin.ts";
import type { RejoinContext } from "./rejoin.ts";

/** Measured: what a switchover of a topology without long-running work takes. */
const EXPECTED_WRITE_GAP_SECONDS = 0.3;

/** What it will take to make a node the only primary. Nothing is changed. */
export async function roleImpact(
  context: RejoinContext,
  wanted: string,
  guarantee: SynchronousGuarantee | null,
): Promise<Impact> {
  const { environment } = context;
  const foreseen = await foreseeRoles(environment, wanted, guarantee);
  if (foreseen === undefined) throw new OperationError(`${wanted} has no container`);
  const { nodes, roles, decision } = foreseen;
  switch (decision.kind) {
    case "none": {
      const lines = [`${wanted} is the primary already`, ...(await rejoinLines(context, nodes, roles, wanted))];
      return { level: "reload", nodes: [wanted], message: lines.join("\n") };
    }
    case "start":
      return {
        level: "unknown",
        nodes: decision.nodes,
        message: `${decision.nodes.join(", ")} is started first: what follows depends on what it says`,
      };
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
      return { level: "switchover", nodes: [from.name, wanted], message: describeFailover(facts, from).join("\n") };
    }
    case "refused":
      return { level: "refused", nodes: [wanted], message: decision.reason };
  }
}

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

/** What the nodes that do not follow will do about it. */
async function rejoinLines(
  context: RejoinContext,
  nodes: readonly Node[],
  roles: readonly NodeRole[],
  wanted: string,
): Promise<string[]> {
  const primary = nodes.find((node) => node.name === wanted);
  const role = roles.find((candidate) => candidate.name === wanted);
  if (primary === undefined || role?.kind !== "primary") return [];
  const history = await primaryHistory(primary, role.timeline);
  const lines = cannotFollow(
    roles.filter((other) => other !== role),
    history,
  ).map(async (other) => {
    const node = nodes.find((candidate) => candidate.name === other.name);
    if (node === undefined || other.kind === "primary") return [];
    return [await rejoinLine(context, node, other, history)];
  });
  return (await Promise.all(lines)).flat();
}

/** A server that runs has to be stopped before its log can be read to the end. */
async function rejoinLine(
  context: RejoinContext,
  node: Node,
  role: DownNode | StandbyRole,
  history: Parameters<typeof planRejoin>[3],
): Promise<string> {
  if (role.kind === "standby") return `${node.name} went another way than the primary: it is rewound or cloned again`;
  const step = await planRejoin(context, node, role, history);
  return `${node.name} rejoins by ${describeRung(step.rung)}: ${step.reason}`;
}
