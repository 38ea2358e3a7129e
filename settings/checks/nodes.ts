import ipaddr from "ipaddr.js";
import type { Deployment } from "../deployment.ts";
import { didYouMean } from "../did-you-mean.ts";
import { type Finding, problem } from "../findings.ts";
import type { StackFileDraft } from "../stack-file.ts";
import { shown } from "../shown.ts";
import { type Check, type ListedNode, listedNodes, nodeNames } from "./check.ts";

/** The longest label of a host name (RFC 1123). */
const LONGEST_HOST_NAME = 63;
const HOST_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/;

/** There are nodes, one of them is the primary, and nothing that must be unique is given twice. */
export const checkNodes: Check = (file, deployment) => [
  ...checkAny(file),
  ...checkPrimary(file),
  ...checkNames(file, deployment),
  ...checkUnique(listedNodes(file), "name", "Give each node a name of its own."),
  ...nodesByHost(file).flatMap((nodes) =>
    checkUnique(nodes, "port", "Give each node a port of its own, or leave it out to not publish the node."),
  ),
  ...checkUnique(listedNodes(file), "address", "Give each node an address of its own."),
];

/** Two hosts have the same ports. */
const nodesByHost = (file: StackFileDraft): (readonly ListedNode[])[] => [
  ...Map.groupBy(listedNodes(file), ({ host }) => host).values(),
];

function checkAny({ nodes }: StackFileDraft): readonly Finding[] {
  if (nodes === undefined || nodes.length > 0) return [];
  return [
    problem(["nodes"], {
      what: "it is an empty list",
      allowed: "a list with one entry for each node, at least one",
      fix: "Write each node on a line of its own, for example - { name: node-1, port: 5455 }.",
    }),
  ];
}

function checkPrimary(file: StackFileDraft): readonly Finding[] {
  const { primary, nodes } = file;
  const names = nodeNames(file);
  const allNamesAreKnown = nodes !== undefined && nodes.length > 0 && names.length === nodes.length;
  if (primary === undefined || !allNamesAreKnown || names.includes(primary)) return [];
  const meant = didYouMean(primary, names);
  return [
    problem(["primary"], {
      what: `${shown(primary)} is not among the nodes`,
      allowed: listed(names),
      fix: meant === null ? "Name one of them, or add a node of that name." : `Did you mean ${meant}?`,
    }),
  ];
}

function checkNames(file: StackFileDraft, { project, stack }: Deployment): readonly Finding[] {
  const prefix = `${project}-${stack}-`;
  if (!HOST_NAME.test(`${prefix}node`)) {
    const what = `containers would be called ${shown(`${prefix}...`)}, which cannot stand in a host name`;
    return [
      problem([], { what, allowed: "letters, digits, - and dots", fix: "Rename the stack by: pulumi stack rename" }),
    ];
  }
  return listedNodes(file).flatMap((node) => checkName(node, prefix));
}

function checkName({ index, name }: ListedNode, prefix: string): readonly Finding[] {
  if (name === undefined) return [];
  const path = ["nodes", index, "name"];
  // The resolver of the C library takes 1, 017 and 0x1f for addresses.
  if (ipaddr.IPv4.isValid(name) || name === "localhost") {
    const meaning = name === "localhost" ? "means the container itself" : "reads as an address";
    return [
      problem(path, {
        what: `${shown(name)} ${meaning} where a host name stands`,
        fix: "Choose another name, for example node-1.",
      }),
    ];
  }
  const container = prefix + name;
  if (container.length <= LONGEST_HOST_NAME) return [];
  return [
    problem(path, {
      what: `the container's name ${shown(container)} has ${container.length} characters`,
      allowed: `at most ${LONGEST_HOST_NAME}, for it is a host name too`,
      fix: `Shorten the name of the node by ${container.length - LONGEST_HOST_NAME}, or the stack's.`,
    }),
  ];
}

function checkUnique(nodes: readonly ListedNode[], key: "name" | "port" | "address", fix: string): readonly Finding[] {
  const firstWith = new Map<string | number, number>();
  return nodes.flatMap(({ index, [key]: value }) => {
    if (value === undefined) return [];
    const first = firstWith.get(value);
    if (first !== undefined)
      return [
        problem(["nodes", index, key], { what: `${shown(value)} is the ${key} of nodes[${first}] already`, fix }),
      ];
    firstWith.set(value, index);
    return [];
  });
}

/** The names of a list, of a long one the first few. */
export function listed(names: readonly string[]): string {
  const most = 10;
  const rest = names.length - most;
  return rest > 0 ? `${names.slice(0, most).join(", ")} and ${rest} more` : names.join(", ");
}
