import { type Finding, problem } from "../findings.ts";
import { postgresMajorOf } from "../postgres-major.ts";
import { shown } from "../shown.ts";
import type { StackFileDraft } from "../stack-file.ts";
import { BACKUP_NAMES } from "../topology-needs.ts";
import { type Check, listedNodes } from "./check.ts";

/** Where there are backups: names that the backup server needs are free, and its two rules of retention agree. */
export const checkBackup: Check = (file) => {
  const { backup, database, replication } = file;
  if (backup?.enabled !== true) return [...drillFindings(file), ...objectiveFindings(file)];
  return [
    ...objectiveFindings(file),
    ...standbyFindings(file),
    ...redundancyFindings(backup.retention, backup.minimumRedundancy),
    ...listedNodes(file).flatMap(({ name, index }) => takenFindings(["nodes", index, "name"], name)),
    ...takenFindings(["database", "owner"], database?.owner),
    ...takenFindings(["replication", "user"], replication?.user),
  ];
};

function redundancyFindings(retention: string | undefined, minimum: number | undefined): readonly Finding[] {
  const kept = /^REDUNDANCY (\d+)$/.exec(retention ?? "")?.[1];
  if (kept === undefined || minimum === undefined || Number(kept) >= minimum) return [];
  return [
    problem(["backup", "retention"], {
      what: `${shown(retention)} keeps fewer backups than minimumRedundancy, which is ${minimum}`,
      allowed: `REDUNDANCY ${minimum} or more`,
      fix: "Raise it, or lower minimumRedundancy.",
    }),
  ];
}

/** Below that its role may order no checkpoint, and a base backup may begin with WAL from before Barman. */
const FIRST_MAJOR_FROM_STANDBY = 15;

function standbyFindings(file: StackFileDraft): readonly Finding[] {
  if (file.backup?.from !== "standby") return [];
  const path = ["backup", "from"];
  const others = listedNodes(file).filter(({ name, applyDelay }) => name !== file.primary && applyDelay === undefined);
  const major = file.image === undefined ? null : postgresMajorOf(file.image, file.postgresMajor);
  return [
    ...(others.length > 0
      ? []
      : [
          problem(path, {
            what: "there is no standby without applyDelay to take base backups from",
            fix: "Add a node to nodes, or leave it out.",
          }),
        ]),
    ...(major === null || major >= FIRST_MAJOR_FROM_STANDBY
      ? []
      : [
          problem(path, {
            what: `base backups of PostgreSQL ${major} are taken from the primary only`,
            fix: "Leave it out.",
          }),
        ]),
  ];
}

function takenFindings(path: readonly (string | number)[], name: string | undefined): readonly Finding[] {
  if (name === undefined || !BACKUP_NAMES.has(name)) return [];
  return [problem(path, { what: `${shown(name)} is a name of the backup server's`, fix: "Choose another name." })];
}

function drillFindings({ backup, drill }: StackFileDraft): readonly Finding[] {
  if (drill?.enabled !== true || backup?.enabled !== false) return [];
  return [
    problem(["drill", "enabled"], {
      what: "there are no backups to restore",
      fix: "Set backup: { enabled: true } with it, or leave drill out.",
    }),
  ];
}

/** Both are measured by a drill, and by nothing else. */
function objectiveFindings({ drill, objectives }: StackFileDraft): readonly Finding[] {
  if (drill?.enabled !== false) return [];
  const names = ["rpoSeconds", "rtoSeconds"] as const;
  return names
    .filter((name) => objectives?.[name] !== undefined)
    .map((name) =>
      problem(["objectives", name], {
        what: "no drill measures it",
        fix: "Set drill: { enabled: true } with it, or leave it out.",
      }),
    );
}
