import { didYouMean } from "../did-you-mean.ts";
import { type Finding, problem } from "../findings.ts";
import { hostBesides } from "../host-besides.ts";
import type { KeyPath } from "../key-path.ts";
import { shown } from "../shown.ts";
import type { StackFileDraft } from "../stack-file.ts";
import { METRICS_PORT } from "../topology-needs.ts";
import { type Check, type ListedNode, listedNodes } from "./check.ts";
import { listed } from "./nodes.ts";

type HostDraft = NonNullable<NonNullable<StackFileDraft["hosts"]>[string]>;

/** Every node is on a host that there is, hosts are told apart, and nothing is asked for that ends at one engine. */
export const checkHosts: Check = (file, { isRefused }) => {
  if (isRefused(["hosts"])) return [];
  const nodes = listedNodes(file);
  const names = Object.keys(file.hosts ?? {});
  if (names.length === 0) return [...nodes.flatMap(needlessHost), ...needlessOperators(file), ...needlessPlaces(file)];
  return [
    ...hostEntries(file).flatMap(([name, host]) => accessFindings(name, host)),
    ...uniqueFindings(file, "docker", "Two hosts have two engines: give each its own."),
    ...uniqueFindings(file, "address", "Give each host its own address."),
    ...nodes.flatMap((node) => nodeFindings(node, names, isRefused)),
    ...unknownHost(["backup", "host"], file.backup?.host, names),
    ...unknownHost(["monitoring", "host"], file.monitoring?.host, names),
    ...metricsFindings(file, names),
    ...oneEngineFindings(file),
  ];
};

const hostEntries = ({ hosts }: StackFileDraft): (readonly [string, HostDraft])[] =>
  Object.entries(hosts ?? {}).flatMap(([name, host]) => (host === undefined ? [] : [[name, host] as const]));

function needlessHost({ index, host, metricsPort }: ListedNode): readonly Finding[] {
  const what = "without hosts Prometheus finds the exporter on the Docker network";
  return [
    ...needlessName(["nodes", index, "host"], host),
    ...(metricsPort === undefined
      ? []
      : [problem(["nodes", index, "metricsPort"], { what, fix: "Set hosts with it, or leave it out." })]),
  ];
}

function needlessOperators({ network }: StackFileDraft): readonly Finding[] {
  if ((network?.operators ?? []).length === 0) return [];
  const what = "there are no hosts: on one engine, this program reaches the nodes by itself";
  return [problem(["network", "operators"], { what, fix: "Leave it out." })];
}

const needlessPlaces = ({ backup, monitoring }: StackFileDraft): readonly Finding[] => [
  ...needlessName(["backup", "host"], backup?.host),
  ...needlessName(["monitoring", "host"], monitoring?.host),
];

function needlessName(path: KeyPath, host: string | undefined): readonly Finding[] {
  if (host === undefined) return [];
  const what = `${shown(host)} is named, but there are no hosts`;
  return [problem(path, { what, fix: "Set hosts with it, or leave it out." })];
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

/** Where servers are watched: exporters find their ports free, and Prometheus finds the backup server. */
function metricsFindings(file: StackFileDraft, names: readonly string[]): readonly Finding[] {
  if (file.monitoring?.enabled !== true) return [];
  const byHost = Map.groupBy(listedNodes(file), ({ host }) => host).values();
  return [...[...byHost].flatMap(metricsPortFindings), ...prometheusFindings(file, names)];
}

function metricsPortFindings(nodes: readonly ListedNode[]): readonly Finding[] {
  const taken = new Map(nodes.flatMap(({ port, name = "a node" }) => (port === undefined ? [] : [[port, name]])));
  return nodes.flatMap(({ index, name = "a node", metricsPort = METRICS_PORT }) => {
    const both = [metricsPort, metricsPort + 1];
    const clash = both.find((port) => taken.has(port));
    for (const port of both) if (!taken.has(port)) taken.set(port, `the exporter of ${name}`);
    if (clash === undefined) return [];
    const what = `the exporter of ${name} takes ${both.join(" and ")} of its host, and ${clash} is the port of ${taken.get(clash)}`;
    return [
      problem(["nodes", index, "metricsPort"], { what, fix: "Choose another one, which is free as the next one is." }),
    ];
  });
}

/** The backup server says how it is on the Docker network of its own host, and nowhere else. */
function prometheusFindings(file: StackFileDraft, names: readonly string[]): readonly Finding[] {
  const [named, backup] = [file.monitoring?.host, file.backup];
  if (named === undefined || backup?.enabled !== true) return [];
  const hosts = Object.fromEntries(names.map((name) => [name, { name }]));
  const nodes = listedNodes(file).map(({ host }) => ({ host: (host === undefined ? undefined : hosts[host]) ?? null }));
  const place = hostBesides(backup.host, hosts, nodes)?.name;
  if (place === undefined || place === named) return [];
  const what = `the backup server is on ${place}, and only there does it say how it is`;
  return [problem(["monitoring", "host"], { what, fix: `Write ${place}, or leave it out.` })];
}

/** What this version has for one engine only. */
function oneEngineFindings({ archiving, network }: StackFileDraft): readonly Finding[] {
  const findings: Finding[] = [];
  if (archiving?.enabled === true) {
    const what = "the archive is a volume of one engine, and nodes on other hosts do not see it";
    const fix = "Leave it out. With `backup: { enabled: true }` a backup server keeps the WAL.";
    findings.push(problem(["archiving", "enabled"], { what, fix }));
  }
  if (network?.bindAddress !== undefined && network.bindAddress !== "127.0.0.1") {
    const what = "with hosts, each node is published at the address of its host";
    findings.push(problem(["network", "bindAddress"], { what, fix: "Leave it out." }));
  }
  return findings;
}
