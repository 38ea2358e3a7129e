import { didYouMean } from "../did-you-mean.ts";
import { type Finding, problem } from "../findings.ts";
import type { KeyPath } from "../key-path.ts";
import { shown } from "../shown.ts";
import type { StackFileDraft } from "../stack-file.ts";
import { type Check, type ListedNode, listedNodes } from "./check.ts";
import { listed } from "./nodes.ts";

type HostDraft = NonNullable<NonNullable<StackFileDraft["hosts"]>[string]>;

/** Every node is on a host that there is, hosts are told apart, and nothing is asked for that ends at one engine. */
export const checkHosts: Check = (file, { isRefused }) => {
  if (isRefused(["hosts"])) return [];
  const nodes = listedNodes(file);
  const names = Object.keys(file.hosts ?? {});
  if (names.length === 0) return [...nodes.flatMap(needlessHost), ...needlessOperators(file), ...needlessPlace(file)];
  return [
    ...hostEntries(file).flatMap(([name, host]) => accessFindings(name, host)),
    ...uniqueFindings(file, "docker", "Two hosts have two engines: give each its own."),
    ...uniqueFindings(file, "address", "Give each host its own address."),
    ...nodes.flatMap((node) => nodeFindings(node, names, isRefused)),
    ...unknownHost(["backup", "host"], file.backup?.host, names),
    ...oneEngineFindings(file),
  ];
};

const hostEntries = ({ hosts }: StackFileDraft): (readonly [string, HostDraft])[] =>
  Object.entries(hosts ?? {}).flatMap(([name, host]) => (host === undefined ? [] : [[name, host] as const]));

function needlessHost({ index, host }: ListedNode): readonly Finding[] {
  if (host === undefined) return [];
  const what = `${shown(host)} is named, but there are no hosts`;
  return [problem(["nodes", index, "host"], { what, fix: "Set hosts with it, or leave it out." })];
}

function needlessOperators({ network }: StackFileDraft): readonly Finding[] {
  if ((network?.operators ?? []).length === 0) return [];
  const what = "there are no hosts: on one engine, this program reaches the nodes by itself";
  return [problem(["network", "operators"], { what, fix: "Leave it out." })];
}

function needlessPlace({ backup }: StackFileDraft): readonly Finding[] {
  if (backup?.host === undefined) return [];
  const what = `${shown(backup.host)} is named, but there are no hosts`;
  return [problem(["backup", "host"], { what, fix: "Set hosts with it, or leave it out." })];
}

function accessFindings(name: string, { docker, certificates, unencrypted }: HostDraft): readonly Finding[] {
  if (docker === undefined) return [];
  const path = ["hosts", name];
  if (!docker.startsWith("tcp://")) {
    return [
      ...(certificates === undefined ? [] : [needless([...path, "certificates"])]),
      ...(unencrypted === true ? [needless([...path, "unencrypted"])] : []),
    ];
  }
  if (certificates !== undefined && unencrypted === true) {
    const what = "certificates are given, so that the connection is encrypted";
    return [problem([...path, "unencrypted"], { what, fix: "Leave one of the two out." })];
  }
  if (certificates !== undefined || unencrypted !== false) return [];
  return [
    problem([...path, "docker"], {
      what: `${shown(docker)} is neither encrypted nor protected: whoever reaches it is root on that host`,
      allowed: "tcp:// with certificates, or ssh://",
      fix: "Name the folder with the client's certificate in certificates. If it is meant all the same, set unencrypted: true.",
    }),
  ];
}

const needless = (path: readonly string[]): Finding =>
  problem(path, { what: "it is for engines at tcp:// alone", fix: "Leave it out." });

function uniqueFindings(file: StackFileDraft, key: "docker" | "address", fix: string): readonly Finding[] {
  const firstWith = new Map<string, string>();
  return hostEntries(file).flatMap(([name, { [key]: value }]) => {
    if (value === undefined) return [];
    const first = firstWith.get(value);
    if (first === undefined) firstWith.set(value, name);
    return first === undefined
      ? []
      : [problem(["hosts", name, key], { what: `${shown(value)} is that of ${first} already`, fix })];
  });
}

function nodeFindings(
  { index, host, port, address }: ListedNode,
  names: readonly string[],
  isRefused: (path: readonly (string | number)[]) => boolean,
): readonly Finding[] {
  const path = (key: string): readonly (string | number)[] => ["nodes", index, key];
  const missing = (key: string): boolean => !isRefused(path(key));
  const findings: Finding[] = [];
  if (host === undefined && missing("host")) {
    const fix = "Name the host that the node is on.";
    findings.push(problem(path("host"), { what: "it is missing", allowed: listed(names), fix }));
  }
  findings.push(...unknownHost(path("host"), host, names));
  if (port === undefined && missing("port")) {
    const what = "it is missing: nodes on several hosts meet at their published ports";
    findings.push(problem(path("port"), { what, fix: "Choose a free port of its host, for example 5432." }));
  }
  if (address !== undefined) {
    const what = "it is an address on the network of one engine, where other hosts do not come";
    findings.push(problem(path("address"), { what, fix: "Leave it out: the node is reached at its host's address." }));
  }
  return findings;
}

function unknownHost(path: KeyPath, host: string | undefined, names: readonly string[]): readonly Finding[] {
  if (host === undefined || names.includes(host)) return [];
  const meant = didYouMean(host, names);
  const fix = meant === null ? "Name one of them, or add a host of that name." : `Did you mean ${meant}?`;
  return [problem(path, { what: `${shown(host)} is not among the hosts`, allowed: listed(names), fix })];
}

/** What this version has for one engine only. */
function oneEngineFindings({ archiving, monitoring, network }: StackFileDraft): readonly Finding[] {
  const findings: Finding[] = [];
  if (archiving?.enabled === true) {
    const what = "the archive is a volume of one engine, and nodes on other hosts do not see it";
    const fix = "Leave it out. With `backup: { enabled: true }` a backup server keeps the WAL.";
    findings.push(problem(["archiving", "enabled"], { what, fix }));
  }
  if (monitoring?.enabled === true) {
    const what = "metrics of nodes on several hosts: this version does not have them yet";
    findings.push(problem(["monitoring", "enabled"], { what, fix: "Leave it out." }));
  }
  if (network?.bindAddress !== undefined && network.bindAddress !== "127.0.0.1") {
    const what = "with hosts, each node is published at the address of its host";
    findings.push(problem(["network", "bindAddress"], { what, fix: "Leave it out." }));
  }
  return findings;
}
