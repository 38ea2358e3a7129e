import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { stackStatus } from "../../operations/status.ts";

const id = randomBytes(3).toString("hex");
/** The engine of this machine, as a host on which there is nothing of the stack any more. */
const host = { name: "db1", docker: "unix:///var/run/docker.sock", address: "127.0.0.1" };

test("of a host that was emptied, the status tells what the last update had put there", async () => {
  const status = await stackStatus({
    project: "pg-topology-test",
    stack: id,
    labels: { "pg-topology.stack": id },
    nodeLabel: "pg-topology.node",
    hosts: [host],
    placed: [{ name: "node-1", container: `pg-topology-${id}-node-1`, host }],
    slotOf: (node) => node.replaceAll("-", "_"),
    barman: {
      container: `pg-topology-${id}-barman`,
      server: "nobodys",
      home: "/var/lib/barman",
      volume: `pg-topology-${id}-barman-data`,
      drillRecord: "/var/lib/barman/.drill.json",
      slot: "barman",
      host,
    },
  });
  expect(status.nodes.map(({ name, state }) => [name, state])).toEqual([["node-1", "container gone"]]);
  expect(status.backup).toMatchObject({ state: "gone", restorable: null });
  expect(status.problems.map(({ kind }) => kind)).toEqual(["no-primary", "container-gone", "backup-server-stopped"]);
  expect(status.condition).toBe("down");
});
