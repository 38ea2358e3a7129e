import { didYouMean } from "../did-you-mean.ts";
import { type Finding, problem, warning } from "../findings.ts";
import type { StackFileDraft } from "../stack-file.ts";
import { shown } from "../shown.ts";
import { type Check, type ListedNode, listedNodes, nodeNames } from "./check.ts";
import { listed } from "./nodes.ts";

/** Every standby gets its changes from the primary, at once or by way of others. */
export const checkUpstream: Check = (file) => {
  const nodes = listedNodes(file);
  return [
    ...checkPrimaryIsNoStandby(file, nodes),
    ...nodes.flatMap((node) => checkName(node, file)),
    ...checkCycles(file, nodes),
    ...checkDelays(nodes),
  ];
};

function checkPrimaryIsNoStandby({ primary }: StackFileDraft, nodes: readonly ListedNode[]): readonly Finding[] {
  const node = nodes.find(({ name }) => name !== undefined && name === primary);
  if (node === undefined) return [];
  const findings: Finding[] = [];
  const fix = (key: string) => `Remove ${key} from ${node.name}, or make another node the primary.`;
  if (node.upstream !== undefined) {
    findings.push(
      problem(["nodes", node.index, "upstream"], {
        what: `${node.name} is the primary, which streams from no other node`,
        fix: fix("upstream"),
      }),
    );
  }
  if (node.applyDelay !== undefined) {
    findings.push(
      problem(["nodes", node.index, "applyDelay"], {
        what: `${node.name} is the primary, which applies nothing late`,
        fix: fix("applyDelay"),
      }),
    );
  }
  return findings;
}

function checkName({ index, name, upstream }: ListedNode, file: StackFileDraft): readonly Finding[] {
  if (upstream === undefined || (name !== undefined && name === file.primary)) return [];
  const path = ["nodes", index, "upstream"];
  if (upstream === name) {
    return [
      problem(path, {
        what: `${name} cannot stream from itself`,
        fix: "Name another node, or leave it out to stream from the primary.",
      }),
    ];
  }
  const names = nodeNames(file);
  if (names.includes(upstream) || names.length < (file.nodes?.length ?? 0)) return [];
  const others = names.filter((other) => other !== name);
  const meant = didYouMean(upstream, others);
  return [
    problem(path, {
      what: `${shown(upstream)} is not among the nodes`,
      allowed: others.length === 0 ? "the name of another node" : listed(others),
      fix: meant === null ? "Name one of them, or leave it out to stream from the primary." : `Did you mean ${meant}?`,
    }),
  ];
}

/** Each cycle once, at its first node in the list. */
function checkCycles({ primary }: StackFileDraft, nodes: readonly ListedNode[]): readonly Finding[] {
  const upstreamOf = new Map(
    nodes.flatMap(({ name, upstream }) =>
      name === undefined || upstream === undefined || name === primary ? [] : [[name, upstream]],
    ),
  );
  const seen = new Set<string>();
  return nodes.flatMap(({ index, name }) => {
    if (name === undefined || seen.has(name)) return [];
    const cycle = cycleFrom(name, upstreamOf);
    if (cycle.length < 2) return [];
    for (const member of cycle) seen.add(member);
    return [
      problem(["nodes", index, "upstream"], {
        what: `the nodes stream from each other in a circle: ${[...cycle, name].join(" from ")}`,
        fix: "Leave upstream out at one of them, which then streams from the primary.",
      }),
    ];
  });
}

/** The nodes on the way from `start` back to itself; empty if the way ends elsewhere. */
function cycleFrom(start: string, upstreamOf: ReadonlyMap<string, string>): readonly string[] {
  const way: string[] = [];
  let next: string | undefined = start;
  while (next !== undefined && !way.includes(next)) {
    way.push(next);
    next = upstreamOf.get(next);
  }
  return next === start ? way : [];
}

/**
 * A standby passes on what it received, not what it applied, so that the standbys behind a delayed one are
 * not late. But it passes on a new timeline only once it has applied the old one to its end.
 */
function checkDelays(nodes: readonly ListedNode[]): readonly Finding[] {
  const delays = new Map(
    nodes.flatMap(({ name, applyDelay }) =>
      name === undefined || applyDelay === undefined ? [] : [[name, applyDelay]],
    ),
  );
  return nodes.flatMap(({ index, name, upstream }) => {
    const delay = upstream === undefined || upstream === name ? undefined : delays.get(upstream);
    if (delay === undefined) return [];
    return [
      warning(["nodes", index, "upstream"], {
        what: `${shown(upstream)} applies changes ${delay} late, and after a change of the primary ${name ?? "this node"} gets nothing new for that long`,
        fix: "Let it stream from a node without applyDelay, if it is to take over or to serve fresh reads.",
      }),
    ];
  });
}
