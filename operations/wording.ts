import prettyBytes from "pretty-bytes";
import type { NodeStatus } from "./status-schema.ts";

/** A span of time for people, in the largest unit of which there are two or more. */
export function duration(seconds: number): string {
  const units = [
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
  ] as const;
  const [size, unit] = units.find(([candidate]) => seconds >= 2 * candidate) ?? [1, "s"];
  return `${Math.max(0, Math.floor(seconds / size))} ${unit}`;
}

/** "": nobody says how far behind the node is. */
export function replayLag({ replayLagBytes, replayLagSeconds }: NodeStatus): string {
  if (replayLagBytes === null) return "";
  const bytes = prettyBytes(replayLagBytes);
  return replayLagSeconds === null || replayLagSeconds < 1 ? bytes : `${bytes}, ${duration(replayLagSeconds)}`;
}
