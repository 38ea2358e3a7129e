import { expect, test } from "vitest";
import { namesHosts } from "../../commands/hosts.ts";

const isNamed = (...lines: string[]): boolean => namesHosts(["config:", ...lines, ""].join("\n"), "pg-topology");

test.each<[string, string[]]>([
  ["as a mapping below it", ["  pg-topology:hosts:", "    db1: { docker: unix:///var/run/docker.sock }"]],
  ["on one line", ["  pg-topology:primary: node-1", "  pg-topology:hosts: { db1: { docker: ssh://db1 } }"]],
  ["with a quoted key", ['  "pg-topology:hosts": { db1: { docker: ssh://db1 } }']],
])("a stack file names its hosts %s", (_title, lines) => {
  expect(isNamed(...lines)).toBe(true);
});

test.each<[string, string[]]>([
  ["has none", ["  pg-topology:primary: node-1"]],
  ["has an empty list of them", ["  pg-topology:hosts: {}"]],
  ["has them in a comment", ["  # pg-topology:hosts: { db1: { docker: ssh://db1 } }"]],
  ["has those of another project", ["  other:hosts: { db1: { docker: ssh://db1 } }"]],
])("a stack file that %s names no hosts", (_title, lines) => {
  expect(isNamed(...lines)).toBe(false);
});
