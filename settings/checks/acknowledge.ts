import { didYouMean } from "../did-you-mean.ts";
import { type Finding, problem } from "../findings.ts";
import { shown } from "../shown.ts";
import type { StackFileDraft } from "../stack-file.ts";
import { type Check, nodeNames } from "./check.ts";
import { listed } from "./nodes.ts";

/** What is acknowledged is of this stack: a slip would acknowledge nothing, or something else. */
export const checkAcknowledge: Check = (file, { project, stack }) => [
  ...nodeFindings(["acknowledge", "failover", "unfenced"], file.acknowledge?.failover?.unfenced ?? [], file),
  ...nodeFindings(["acknowledge", "rejoin"], file.acknowledge?.rejoin ?? [], file),
  ...volumeFindings(file.acknowledge?.volumes ?? [], `${project}-${stack}-`),
];

function nodeFindings(
  path: readonly string[],
  named: readonly (string | undefined)[],
  file: StackFileDraft,
): readonly Finding[] {
  const names = nodeNames(file);
  const nodeCount = file.nodes?.length ?? 0;
  const allNamesAreKnown = nodeCount > 0 && names.length === nodeCount;
  if (!allNamesAreKnown) return [];
  return named.flatMap((name, index) => {
    if (name === undefined || names.includes(name)) return [];
    const meant = didYouMean(name, names);
    return [
      problem([...path, index], {
        what: `${shown(name)} is not among the nodes`,
        allowed: listed(names),
        fix: meant === null ? "Name one of them, or leave it out." : `Did you mean ${meant}?`,
      }),
    ];
  });
}

/** Of a volume to be deleted the node may be out of the stack file already: only the stack can be told by its name. */
function volumeFindings(volumes: readonly (string | undefined)[], prefix: string): readonly Finding[] {
  return volumes.flatMap((volume, index) => {
    if (volume === undefined || volume.startsWith(prefix)) return [];
    return [
      problem(["acknowledge", "volumes", index], {
        what: `${shown(volume)} is no volume of this stack`,
        allowed: `names that begin with ${prefix}`,
        fix: "Name it as the refused preview does.",
      }),
    ];
  });
}
