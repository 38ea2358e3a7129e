import fc from "fast-check";
import { makePlan } from "../../plan/make-plan.ts";
import type { NodePlan, Plan } from "../../plan/plan.ts";
import type { NodeSettings, Settings } from "../../settings/settings.ts";
import { DEPLOYMENT, type Keys, settingsOf } from "./settings-support.ts";

/** Three nodes with everything on that has files of its own. */
export const EVERYTHING: Keys = {
  primary: "node-1",
  nodes: [
    { name: "node-1", port: 5455 },
    { name: "node-2", port: 5456 },
    { name: "node-3", upstream: "node-2", applyDelay: "30min" },
  ],
  replication: { user: "repuser", connectionLimit: 20, synchronous: { mode: "quorum", count: 1 } },
  parameters: { work_mem: "16MB", shared_buffers: "256MB", log_line_prefix: `%m 'quoted' back\\slash ` },
  accessRules: [{ database: "app", user: "reporting", address: "10.1.0.0/16" }],
  archiving: { enabled: true },
};

export const planOf = (keys: Keys): Plan => makePlan(settingsOf(keys), DEPLOYMENT);

export function nodeOf(plan: Plan, name: string): NodePlan {
  const node = plan.nodes.find((candidate) => candidate.name === name);
  if (node === undefined) throw new Error(`no node ${name}`);
  return node;
}

/** The text of one of a node's files, by the last part of its path. */
export function fileOf(node: NodePlan, name: string): string {
  const file = [...node.files, ...node.serverFiles].find(({ path }) => path.endsWith(`/${name}`));
  if (file === undefined) throw new Error(`${node.name} has no file ${name}`);
  return file.content;
}

/** The lines of a configuration file that set something: name and value, as PostgreSQL would read them. */
export function settingsIn(conf: string): Map<string, string> {
  const lines = [...conf.matchAll(/^(\w+) = '((?:[^'\\]|''|\\\\)*)'/gm)];
  return new Map(
    lines.map(([, name = "", value = ""]) => [name, value.replaceAll("''", "'").replaceAll("\\\\", "\\")]),
  );
}

const nodeCount = fc.integer({ min: 1, max: 12 });

/** Every standby streams from the primary, from one that stands before it, or from whichever node is the primary. */
const nodesOf = (count: number): fc.Arbitrary<readonly NodeSettings[]> =>
  fc.tuple(fc.shuffledSubarray(names(count), { minLength: count }), ...upstreams(count)).map(([order, ...chosen]) =>
    order.map((name, index): NodeSettings => {
      const upstream = index === 0 ? null : (chosen[index - 1] ?? null);
      return {
        name,
        host: null,
        port: index % 2 === 0 ? 6000 + index : null,
        metricsPort: null,
        address: null,
        upstream: upstream === null ? null : (order[upstream] ?? null),
        applyDelay: null,
        image: null,
      };
    }),
  );

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `node-${index + 1}`);

/** For each standby, by its place: which of the nodes before it is its upstream. */
const upstreams = (count: number): fc.Arbitrary<number | null>[] =>
  Array.from({ length: count - 1 }, (_, index) => fc.option(fc.integer({ min: 0, max: index })));

/** Settings as the checks let them through; the order of the nodes says nothing about who streams from whom. */
export const anySettings: fc.Arbitrary<Settings> = nodeCount
  .chain((count) => fc.tuple(nodesOf(count), fc.boolean(), fc.integer({ min: 0, max: count - 1 })))
  .chain(([nodes, archiving, count]) =>
    fc.shuffledSubarray([...nodes], { minLength: nodes.length }).map((shuffled): Settings => ({
      ...settingsOf({ primary: "node-1", nodes: [{ name: "node-1" }] }),
      primary: nodes[0]?.name ?? "",
      nodes: shuffled,
      archiving: { enabled: archiving },
      replication: {
        user: "repuser",
        connectionLimit: 40,
        synchronous:
          count === 0 ? { mode: "async" } : { mode: "quorum", count, includeBackup: false, whenStandbyMissing: "wait" },
      },
    })),
  );
