import { type Finding, problem } from "../findings.ts";
import { shown } from "../shown.ts";
import { MONITORING_ROLE } from "../topology-needs.ts";
import { type Check, listedNodes } from "./check.ts";

/** Where servers are watched: the role and the port of that are free. */
export const checkMonitoring: Check = (file) => {
  const { monitoring, database, replication } = file;
  if (monitoring?.enabled !== true) return [];
  return [
    ...roleFindings(["database", "owner"], database?.owner),
    ...roleFindings(["replication", "user"], replication?.user),
    ...listedNodes(file)
      .filter(({ port }) => port !== undefined && port === monitoring.port)
      .map(({ port, name = "a node" }) =>
        problem(["monitoring", "port"], {
          what: `${port} is the port of ${name}`,
          fix: "Choose another one, or leave it out to not publish Prometheus.",
        }),
      ),
  ];
};

function roleFindings(path: readonly string[], name: string | undefined): readonly Finding[] {
  if (name !== MONITORING_ROLE) return [];
  return [problem(path, { what: `${shown(name)} is the role of the exporters`, fix: "Choose another name." })];
}
