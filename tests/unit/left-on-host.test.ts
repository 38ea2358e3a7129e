import { expect, test } from "vitest";
import { hostsInState } from "../../operations/left-on-host.ts";

const urn = (type: string, name: string): string => `urn:pulumi:dev::pg-topology::${type}::${name}`;
const provider = urn("pulumi:providers:docker", "host-db2");
const container = "docker:index/container:Container";

test("what a state knows on each host is listed by its kind and name", () => {
  const resources = [
    {
      urn: provider,
      id: "1",
      type: "pulumi:providers:docker",
      inputs: { host: "tcp://10.0.0.12:2376", certPath: "./db2" },
    },
    { urn: urn("pulumi:providers:docker", "default"), id: "2", type: "pulumi:providers:docker", inputs: {} },
    {
      urn: urn(container, "node-2-container"),
      type: container,
      provider: `${provider}::1`,
      inputs: { name: "x-node-2" },
    },
    { urn: urn(container, "node-1-container"), type: container, provider: `${urn("p", "default")}::2` },
  ];
  expect(hostsInState({ deployment: { resources } })).toEqual([
    {
      host: { name: "db2", docker: "tcp://10.0.0.12:2376", address: "", certificates: "./db2" },
      objects: ["container x-node-2"],
    },
  ]);
});

test("a stack that the backend does not have is on no host", () => {
  expect(hostsInState({})).toEqual([]);
});
