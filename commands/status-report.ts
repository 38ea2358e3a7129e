import Table from "cli-table3";
import pc from "picocolors";
import prettyBytes from "pretty-bytes";
import type { Condition, NodeStatus, StackStatus } from "../operations/status.ts";

const HEAD = ["node", "role", "state", "timeline", "address", "streams from", "sync", "replay lag", "slot", "TLS"];

/** Columns two spaces apart, without lines and colours: it can be read, cut and grepped. */
const NO_LINES = {
  ...{ top: "", "top-mid": "", "top-left": "", "top-right": "", left: "", right: "", middle: "  " },
  ...{ mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
  ...{ bottom: "", "bottom-mid": "", "bottom-left": "", "bottom-right": "" },
};
const PLAIN = { head: [], border: [], "padding-left": 0, "padding-right": 0 };

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

const withoutTrailingBlanks = (text: string): string => text.replaceAll(/ +$/gm, "");
