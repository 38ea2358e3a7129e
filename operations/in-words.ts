import prettyBytes from "pretty-bytes";

/** A time as people say it. */
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
