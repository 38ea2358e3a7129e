import { parseLsn } from "./lsn.ts";

/** What the data of one node is, as far as it can be known. */
export type NodeData =
  | { readonly kind: "none" }
  | { readonly kind: "unknown"; readonly why: string }
  | {
      readonly kind: "cluster";
      readonly role: "primary" | "standby";
      readonly systemIdentifier: string;
      readonly timeline: number;
      /** Written on a primary, received on a standby; null: its server does not answer. */
      readonly walLsn: string | null;
    };

/**
 * Why a node may hold what the primary that stays does not hold; undefined: it holds nothing else. A standby of the
 * primary's own timeline has received only what the primary had written before, whether it runs or not.
 */
export function soleCopy(
  name: string,
  data: NodeData,
  primary: { readonly name: string; readonly data: NodeData },
): string | undefined {
  switch (data.kind) {
    case "none":
      return undefined;
    case "unknown":
      return `what it holds could not be looked at (${data.why})`;
    case "cluster":
      break;
  }
  const kept = primary.data;
  if (kept.kind !== "cluster" || kept.role !== "primary" || kept.walLsn === null) {
    return `${primary.name}, which stays, does not answer as the primary, so that nobody knows whether it has the rows of ${name}`;
  }
  if (data.systemIdentifier !== kept.systemIdentifier) return `it holds another cluster than ${primary.name}`;
  if (data.role === "primary") {
    return `${name} is no standby but a primary on timeline ${data.timeline}, and may hold rows that ${primary.name} does not have`;
  }
  if (data.timeline !== kept.timeline) {
    return `${name} is on timeline ${data.timeline} and ${primary.name} on timeline ${kept.timeline}, so that it may hold rows that ${primary.name} does not have`;
  }
  if (data.walLsn !== null && parseLsn(data.walLsn) > parseLsn(kept.walLsn)) {
    return `${name} has WAL up to ${data.walLsn} and ${primary.name} only up to ${kept.walLsn}`;
  }
  return undefined;
}
