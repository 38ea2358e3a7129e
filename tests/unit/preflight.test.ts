import type Docker from "dockerode";
import { describe, expect, test } from "vitest";
import { heldAddress, heldPort } from "../../operations/preflight.ts";
import type { NodeAddress, NodePort } from "../../operations/preflight.ts";
import type { PlannedContainer } from "../../operations/refused-turns.ts";

const STACK = { stack: "dev" };

const container = (name: string, address: string, port: number, labels: object = STACK) =>
  ({
    Id: `id of ${name}`,
    Names: [`/${name}`],
    Labels: labels,
    Ports: [{ IP: address, PrivatePort: 5432, PublicPort: port, Type: "tcp" }],
  }) as Docker.ContainerInfo;

const turn = (name: string): PlannedContainer => ({
  node: { name, container: `dev-${name}` },
  generation: "",
  image: "postgres:17",
});

const NEEDS = { labels: STACK, turns: { label: "generation", order: ["node-3", "node-2", "node-1"].map(turn) } };

const wanted = (node: string, host: string = "127.0.0.1"): NodePort => ({
  node,
  container: `dev-${node}`,
  host,
  port: 5455,
});

const reasonOf = (port: NodePort, ...containers: readonly Docker.ContainerInfo[]): string | undefined =>
  heldPort(containers, NEEDS, port);

describe("a port that a container has", () => {
  test("is no problem where it is the node's own", () => {
    expect(reasonOf(wanted("node-2"), container("dev-node-2", "127.0.0.1", 5455))).toBeUndefined();
  });

  test("is not to be had where the container is not of the stack", () => {
    expect(reasonOf(wanted("node-2"), container("web", "0.0.0.0", 5455, {}))).toContain(
      "is taken by the container web. Choose another port for node-2, or stop what uses it.",
    );
  });

  test("is not to be had by a node that joins while another one still has it", () => {
    expect(reasonOf(wanted("node-3"), container("dev-node-4", "127.0.0.1", 5455))).toBe(
      "port 5455 of 127.0.0.1, which node-3 is to be published on, is still that of the container dev-node-4 when node-3 needs it. Run two updates: first with another port for node-3, then with this one.",
    );
    expect(reasonOf(wanted("node-1"), container("dev-node-3", "127.0.0.1", 5455))).toContain("Run two updates");
  });

  test("goes from one node to another whose turn comes later, and not the other way round", () => {
    const before = [container("dev-node-2", "127.0.0.1", 5455), container("dev-node-1", "127.0.0.1", 5456)];
    expect(reasonOf(wanted("node-1"), ...before)).toBeUndefined();
    const after = [container("dev-node-1", "127.0.0.1", 5455), container("dev-node-2", "127.0.0.1", 5456)];
    expect(reasonOf(wanted("node-2"), ...after)).toContain("is still that of the container dev-node-1");
  });

  test.each([
    ["127.0.0.1", "127.0.0.2", false],
    ["127.0.0.1", "0.0.0.0", true],
    ["::", "127.0.0.1", true],
    ["0.0.0.0", "127.0.0.1", true],
  ])("at %s takes it at %s: %s", (held, address, isTaken) => {
    const reason = reasonOf(wanted("node-2", address), container("web", held, 5455, {}));
    expect(reason !== undefined).toBe(isTaken);
  });
});

describe("a fixed address", () => {
  const network = { name: "dev", subnet: "10.1.0.0/24" };
  const at = (name: string, address: string, running = true) =>
    ({
      Id: name,
      Names: [`/${name}`],
      Labels: STACK,
      NetworkSettings: {
        Networks: { dev: { IPAddress: running ? address : "", IPAMConfig: { IPv4Address: address } } },
      },
    }) as unknown as Docker.ContainerInfo;
  const fixed = (node: string, address: string) => ({ node, container: `dev-${node}`, address });
  /** @param others what the stack file fixes besides. */
  const reason = (
    wanted: NodeAddress,
    others: readonly NodeAddress[],
    ...containers: readonly Docker.ContainerInfo[]
  ): string | undefined => heldAddress(containers, { ...NEEDS, network, addresses: [wanted, ...others] }, wanted);

  test("is no problem where it is the node's own, or nobody's", () => {
    expect(reason(fixed("node-2", "10.1.0.12"), [], at("dev-node-2", "10.1.0.12"))).toBeUndefined();
    expect(reason(fixed("node-2", "10.1.0.13"), [], at("dev-node-2", "10.1.0.12"))).toBeUndefined();
  });

  test.each([true, false])("cannot be exchanged with another node's in one update: that one runs: %s", (running) => {
    const both = [at("dev-node-1", "10.1.0.11", running), at("dev-node-2", "10.1.0.12", running)];
    const [first, second] = [fixed("node-1", "10.1.0.12"), fixed("node-2", "10.1.0.11")];
    expect(reason(first, [second], ...both)).toBeUndefined();
    expect(reason(second, [first], ...both)).toBe(
      "the address 10.1.0.11 is still that of the container dev-node-1 when node-2 needs it. Choose another address for node-2, or let dev-node-1 give this one up in an update before.",
    );
  });

  test("is not to be had from a node that keeps it, or from a container that is no node's", () => {
    const nodes = [at("dev-node-1", "10.1.0.11"), at("dev-node-2", "10.1.0.12"), at("dev-barman", "10.1.0.13")];
    expect(reason(fixed("node-1", "10.1.0.12"), [], ...nodes)).toContain("let dev-node-2 give this one up");
    expect(reason(fixed("node-1", "10.1.0.13"), [], ...nodes)).toContain("let dev-barman give this one up");
  });
});
