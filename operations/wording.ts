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

/** A span of time that is guessed, for people: rounded, where `duration` counts what has passed. */
export function durationInWords(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 2 * 3600) return `${Math.round(seconds / 60)} min`;
  return seconds < 48 * 3600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}

/** Of a base backup that is verified, on two cores (docs/benchmarks.md). Slower links take longer. */
const CLONE_BYTES_PER_SECOND = 140e6;
const CLONE_BEGINS_AFTER_SECONDS = 2;

/** What it takes to copy a cluster: how much, and about how long. */
export function cloneInWords(bytes: number): string {
  const seconds = CLONE_BEGINS_AFTER_SECONDS + bytes / CLONE_BYTES_PER_SECOND;
  return `${prettyBytes(bytes)}, about ${durationInWords(seconds)}`;
}
