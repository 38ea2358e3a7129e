import type { Labels } from "../plan/names.ts";

/** Labels as @pulumi/docker takes them, always in the same order. */
export const asLabels = (labels: Labels): { label: string; value: string }[] =>
  Object.entries(labels)
    .map(([label, value]) => ({ label, value }))
    .toSorted((a, b) => (a.label < b.label ? -1 : 1));
