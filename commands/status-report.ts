import Table from "cli-table3";
import pc from "picocolors";
import prettyBytes from "pretty-bytes";
import type { Condition, NodeStatus, StackStatus } from "../operations/status.ts";
import { NO_LINES, PLAIN, withoutTrailingBlanks } from "./table.ts";

const HEAD = ["node", "role", "state", "timeline", "address", "streams from", "sync", "replay lag", "slot", "TLS"];

/** The table of the nodes, and below it what is wrong, or that nothing is. */
export function statusReport(stack: string, { condition, nodes, problems }: StackStatus): string {
  const table = new Table({ head: HEAD.map((title) => pc.bold(title)), chars: NO_LINES, style: PLAIN });
  table.push(...nodes.map(row));
  const verdict = `${stack} is ${coloured(condition)}.`;
  return [withoutTrailingBlanks(table.toString()), "", verdict, ...problems.map((problem) => `  ${problem}`)].join(
    "\n",
  );
}

function row(node: NodeStatus): string[] {
  return [
    node.name,
    node.role ?? "",
    node.state,
    node.timeline?.toString() ?? "",
    node.endpoint === null ? "" : `${node.endpoint.host}:${node.endpoint.port}`,
    node.upstream ?? "",
    node.syncState ?? "",
    node.replayLagBytes === null ? "" : prettyBytes(node.replayLagBytes),
    node.slot ?? "",
    node.tls === null ? "" : node.tls ? "yes" : "no",
  ];
}

function coloured(condition: Condition): string {
  switch (condition) {
    case "healthy":
      return pc.green(condition);
    case "degraded":
      return pc.yellow(condition);
    case "down":
      return pc.red(condition);
  }
}
