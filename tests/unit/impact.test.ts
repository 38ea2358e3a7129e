import { describe, expect, test } from "vitest";
import { impacts } from "../../operations/impact.ts";
import type { BeforeChange, Impact, LiveParameter } from "../../operations/impact.ts";
import { fileChange } from "../../operations/server-files.ts";
import type { FileChange } from "../../operations/server-files.ts";
import type { ShapedNode, TopologyShape } from "../../operations/topology.ts";
import type { FoundFiles, VolumeContents, VolumeFile } from "../../operations/volume-files.ts";
import { SHAPE } from "./topology-support.ts";

const conf = (...lines: string[]): VolumeFile => ({
  path: "/etc/pg-topology/postgresql.conf",
  content: lines.join("\n"),
  mode: 0o640,
});
const hba = (content: string): VolumeFile => ({ path: "/etc/pg-topology/pg_hba.conf", content, mode: 0o640 });
const contents = (...files: VolumeFile[]): VolumeContents => ({
  image: "postgres:17",
  volume: "configuration",
  mount: "/etc/pg-topology",
  files,
  uid: 999,
  labels: {},
});

/** What is in the volume of a server that runs with some files, and has others before it. */
const found = (proven: VolumeFile[], there: VolumeFile[] = proven): FoundFiles =>
  new Map([
    ...proven.map(
      (file) => [file.path.replace("/pg-topology/", "/pg-topology/proven/"), { ...file, uid: 999 }] as const,
    ),
    ...there.map((file) => [file.path, { ...file, uid: 999 }] as const),
  ]);

describe("what files have yet to become", () => {
  const wanted = contents(conf("max_connections = '100'  # why", "work_mem = '8MB'"), hba("# rules"));

  test("nothing where the server was seen to run with them", () => {
    expect(fileChange(wanted, found([...wanted.files]))).toEqual({ parameters: [], accessRules: false });
  });

  test("another comment is no change of a parameter", () => {
    const old = [conf("max_connections = '100'  # because", "work_mem = '8MB'"), hba("# rules")];
    expect(fileChange(wanted, found(old))).toEqual({ parameters: [], accessRules: false });
  });

  test("what an update brought to this node before it failed on another", () => {
    const left = [conf("max_connections = '300'", "work_mem = '8MB'", "jit = 'off'"), hba("# others")];
    expect(fileChange(wanted, found(left))).toEqual({ parameters: ["jit", "max_connections"], accessRules: true });
  });

  test("what an update that was killed had written, and the server was not seen to run with", () => {
    const written = [conf("max_connections = '300'", "work_mem = '8MB'"), hba("# rules")];
    expect(fileChange(wanted, found([...wanted.files], written)).parameters).toEqual(["max_connections"]);
  });

  test("files that are not there yet say nothing", () => {
    expect(fileChange(wanted, new Map())).toEqual({ parameters: [], accessRules: false });
  });
});

const shape = (parameters: Record<string, string>): TopologyShape => ({
  ...SHAPE,
  nodes: SHAPE.nodes.map((node) => ({ ...node, parameters })),
});
const NOTHING: FileChange = { parameters: [], accessRules: false };
const change = (...parameters: string[]): FileChange => ({ parameters, accessRules: false });
const maxConnections = (value: string): LiveParameter => ({
  name: "max_connections",
  context: "postmaster",
  value,
  defaultValue: "100",
});
const workMem: LiveParameter = { name: "work_mem", context: "user", value: "4MB", defaultValue: "4MB" };

const live = (nodes: Record<string, readonly [FileChange, readonly LiveParameter[] | null]>): BeforeChange => ({
  changes: new Map(Object.entries(nodes).map(([name, [changed]]) => [name, changed])),
  parameters: new Map(Object.entries(nodes).flatMap(([name, [, said]]) => (said === null ? [] : [[name, said]]))),
  dataBytes: 0,
  silentHosts: new Set(),
});
const told = (after: TopologyShape, before: BeforeChange): string[] =>
  impacts([...SHAPE.nodes] as ShapedNode[], after, before, null).map(({ message }: Impact) => message);

describe("what an update will do to servers", () => {
  test("a node that leaves is removed, and where the engine of its host is silent, what is there stays", () => {
    const host = { name: "db4", docker: "ssh://db4.example.com", address: "10.0.0.14" };
    const [first] = SHAPE.nodes;
    const leaving = { ...first, name: "node-4", container: "x-node-4", host } as ShapedNode;
    const leaves = (silentHosts: ReadonlySet<string>): string[] =>
      impacts([...SHAPE.nodes, leaving], SHAPE, { ...live({}), silentHosts }, null).map(({ message }) => message);
    expect(leaves(new Set())).toEqual(["node-4 leaves: its container, slot and volumes are removed, with its data"]);
    expect(leaves(new Set(["db4"]))).toEqual([
      expect.stringMatching(
        /^node-4 leaves: its slot is removed\. The container x-node-4, .* stay on db4,.*--forget-host db4/,
      ),
    ]);
  });

  test("a change of all nodes", () => {
    const all = [change("max_connections", "work_mem"), [maxConnections("100"), workMem]] as const;
    expect(
      told(shape({ max_connections: "300", work_mem: "8MB" }), live({ "node-1": all, "node-2": all, "node-3": all })),
    ).toEqual([
      "rolling restart: node-2, node-3, node-1 (max_connections); write gap about 1 s",
      "reload, 0 restarts: work_mem",
    ]);
  });

  test("what no order of restarts is right for is refused, and the rest is told all the same", () => {
    const workers: LiveParameter = { ...maxConnections("16"), name: "max_worker_processes", defaultValue: "8" };
    const both = [
      change("max_connections", "max_worker_processes", "work_mem"),
      [maxConnections("100"), workers, workMem],
    ] as const;
    const after = shape({ max_connections: "200", max_worker_processes: "8", work_mem: "8MB" });
    const before = live({ "node-1": both, "node-2": both, "node-3": both });
    expect(impacts([...SHAPE.nodes], after, before, null)).toEqual([
      {
        level: "refused",
        nodes: ["node-1", "node-2", "node-3"],
        message: expect.stringContaining("max_connections grows while max_worker_processes shrinks") as string,
      },
      { level: "reload", nodes: ["node-1", "node-2", "node-3"], message: "reload, 0 restarts: work_mem" },
    ]);
  });

  test("an update that failed half-way and is run again restarts only those that it had not come to", () => {
    const before = live({
      "node-1": [change("max_connections"), [maxConnections("100")]],
      "node-2": [NOTHING, [maxConnections("300")]],
      "node-3": [NOTHING, [maxConnections("300")]],
    });
    expect(told(shape({ max_connections: "300" }), before)).toEqual([
      "rolling restart: node-1 (max_connections); write gap about 1 s",
    ]);
  });

  test("taken back, it restarts those that it had come to", () => {
    const before = live({
      "node-1": [NOTHING, [maxConnections("100")]],
      "node-2": [change("max_connections"), [maxConnections("300")]],
      "node-3": [NOTHING, [maxConnections("100")]],
    });
    expect(told(shape({}), before)).toEqual(["rolling restart: node-2 (max_connections)"]);
  });

  test("files that were written and never became effective restart nothing when they are taken back", () => {
    const before = live({
      "node-1": [NOTHING, []],
      "node-2": [change("max_connections"), [maxConnections("100")]],
      "node-3": [NOTHING, []],
    });
    expect(told(shape({}), before)).toEqual([]);
  });

  test("what ALTER SYSTEM has set, and a server was restarted with, takes another restart", () => {
    const before = live({
      "node-1": [NOTHING, []],
      "node-2": [NOTHING, [maxConnections("300")]],
      "node-3": [NOTHING, []],
    });
    expect(told(shape({ max_connections: "100" }), before)).toEqual(["rolling restart: node-2 (max_connections)"]);
  });

  test("a server that does not answer is believed to run with its files", () => {
    const before = live({
      "node-1": [NOTHING, [maxConnections("100")]],
      "node-2": [change("max_connections"), null],
      "node-3": [NOTHING, [maxConnections("100")]],
    });
    expect(told(shape({ max_connections: "100" }), before)).toEqual(["rolling restart: node-2 (max_connections)"]);
  });

  test("rules that one node has and the others have not", () => {
    const before = live({
      "node-1": [NOTHING, []],
      "node-2": [{ parameters: [], accessRules: true }, []],
      "node-3": [NOTHING, []],
    });
    expect(told(shape({}), before)).toEqual(["reload, 0 restarts: access rules"]);
  });
});
