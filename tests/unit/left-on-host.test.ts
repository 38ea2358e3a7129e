import { expect, test } from "vitest";
import { hostsInState, withoutHost } from "../../operations/left-on-host.ts";

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

test("a state that forgets a host depends on nothing there any more", () => {
  const volume = {
    urn: urn("docker:index/volume:Volume", "data"),
    type: "docker:index/volume:Volume",
    provider: `${provider}::1`,
  };
  const other = {
    urn: urn("pulumi:providers:docker", "host-db1"),
    type: "pulumi:providers:docker",
    inputs: { host: "unix:///x" },
  };
  const files = {
    urn: urn("pgtopology:index:VolumeFiles", "files"),
    type: "pgtopology:index:VolumeFiles",
    dependencies: [volume.urn, other.urn],
    propertyDependencies: { volume: [volume.urn], mount: null },
  };
  const gone = { urn: provider, type: "pulumi:providers:docker", inputs: { host: "tcp://10.0.0.12:2376" } };
  const state = { version: 3, deployment: { resources: [gone, other, volume, files], secrets: "kept" } };
  expect(withoutHost(state, "db2")).toEqual({
    version: 3,
    deployment: {
      resources: [other, { ...files, dependencies: [other.urn], propertyDependencies: { volume: [], mount: [] } }],
      secrets: "kept",
    },
  });
});

test("a stack that the backend does not have is on no host", () => {
  expect(hostsInState({})).toEqual([]);
});
