import { problem, warning } from "../findings.ts";
import type { Finding } from "../findings.ts";
import { connectionsNeeded } from "../topology-needs.ts";
import { type Check, counted, type ListedNode, listedNodes, standbyCount } from "./check.ts";

/** The role may open as many connections as the standbys and their base backups need. */
export const checkConnectionLimit: Check = (file) => {
  const limit = file.replication?.connectionLimit;
  if (limit === undefined || file.nodes === undefined) return [];
  const standbys = standbyCount(file);
  const needed = connectionsNeeded(standbys);
  if (limit >= needed) return [];
  return [
    problem(["replication", "connectionLimit"], {
      what: `${limit} is too low for ${counted(standbys, "standby")}`,
      allowed: `${needed} or more: 2 for each standby (a base backup takes two connections, streaming later one), and 2 to spare for the questions of the guard`,
      fix: `Set it to ${needed} or more, or leave it out.`,
    }),
  ];
};

/** Writes wait for no more standbys than there are to answer. */
export const checkSynchronous: Check = (file) => {
  const { mode, count, whenStandbyMissing } = file.replication?.synchronous ?? {};
  const path = ["replication", "synchronous", "count"];
  if (mode === undefined) return [];
  if (mode === "async") return waitingForNobody({ count, whenStandbyMissing });
  if (file.nodes === undefined || file.primary === undefined) return [];
  const eligible = eligibleStandbys(file.primary, listedNodes(file));
  const wanted = count ?? 1;
  if (wanted > eligible) {
    return [
      problem(path, {
        what: `a write is to wait for ${counted(wanted, "standby")}, but ${eligible} can be waited for`,
        allowed: `at most ${eligible}: the standbys that stream from whichever node is the primary (no upstream), and apply at once (no applyDelay)`,
        fix: "Lower count, add standbys, or choose mode async.",
      }),
    ];
  }
  if (wanted < eligible) return [];
  const backup = file.replication?.synchronous?.includeBackup === true ? ", and for the backup server" : "";
  return [
    warning(path, {
      what: `a write waits for ${wanted === 1 ? "the only standby that can be waited for" : `all ${wanted} standbys that can be waited for`}${backup}: when one of them is away, writes stop`,
      fix: "Have one standby more than count.",
    }),
  ];
};

/** Only FIRST can name one that every write waits for: of a quorum any may be left out. */
export const checkIncludeBackup: Check = ({ backup, replication }) => {
  const { mode, includeBackup } = replication?.synchronous ?? {};
  const path = ["replication", "synchronous", "includeBackup"];
  if (includeBackup !== true) return [];
  return [
    ...(mode === "async" || mode === "quorum"
      ? [
          problem(path, {
            what: `with mode ${mode} a write may be confirmed without the backup server`,
            fix: "Choose mode priority, or leave it out.",
          }),
        ]
      : []),
    ...(backup?.enabled === false
      ? [
          problem(path, {
            what: "there is no backup server to wait for",
            fix: "Set backup: { enabled: true } with it, or leave it out.",
          }),
        ]
      : []),
  ];
};

/** What says how to wait says nothing where nobody is waited for. */
function waitingForNobody(given: Readonly<Record<string, string | number | undefined>>): Finding[] {
  return Object.entries(given).flatMap(([key, value]) => {
    if (value === undefined) return [];
    return problem(["replication", "synchronous", key], {
      what: `${value} is given, but with mode async a write waits for no standby`,
      fix: `Leave ${key} out, or choose mode priority or quorum.`,
    });
  });
}

function eligibleStandbys(primary: string, nodes: readonly ListedNode[]): number {
  return nodes.filter(
    ({ name, upstream, applyDelay }) => name !== primary && upstream === undefined && applyDelay === undefined,
  ).length;
}
