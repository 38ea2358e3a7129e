import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { newAuthority } from "../../operations/certificates.ts";
import { psqlAsClient, psqlRefusal } from "../support/clients.ts";
import { describeFirstUp } from "../support/first-up-checks.ts";
import { anyNumber, textLike } from "../support/matchers.ts";
import { outputsAsShown, ownerLogin } from "../support/outputs.ts";
import type { StackOutputs } from "../support/outputs.ts";
import { freePorts } from "../support/ports.ts";
import { psqlIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";

const IMAGE = "postgres:17";
const NODES = ["node-1", "node-2", "node-3"];

let stack: TestStack;
let outputs: StackOutputs;
let ports: number[];

beforeAll(async () => {
  ports = await freePorts(NODES.length);
  stack = await TestStack.create({
    primary: "node-1",
    nodes: NODES.map((name, index) => ({ name, port: ports[index] })),
  });
  await stack.up();
  outputs = await stack.outputs<StackOutputs>();
});
afterAll(() => stack.dispose());

describeFirstUp({ stack: () => stack, image: IMAGE, nodes: NODES });

test("the outputs are those of the contract", async () => {
  const systemIdentifier = await psqlIn(stack.container("node-1"), "SELECT system_identifier FROM pg_control_system()");
  const streaming = { state: "streaming", syncState: "async", replayLagBytes: anyNumber };
  expect(outputs).toEqual({
    primary: "node-1",
    nodes: NODES.map((name, index) => ({
      name,
      role: index === 0 ? "primary" : "standby",
      container: stack.container(name),
      host: "127.0.0.1",
      port: ports[index],
    })),
    replication: [
      { node: "node-2", slot: "node_2", ...streaming },
      { node: "node-3", slot: "node_3", ...streaming },
    ],
    timeline: 1,
    systemIdentifier,
    lastRestart: null,
    lastSwitchover: null,
    lastDrill: null,
    drillHistory: [],
    certificateAuthority: textLike(/^-----BEGIN CERTIFICATE-----\n[\w+/=\n]+-----END CERTIFICATE-----\n$/),
    readWriteUri: textLike(/^postgresql:\/\/app:.+target_session_attrs=read-write&sslmode=verify-full/),
    readOnlyUri: textLike(/^postgresql:\/\/app:.+target_session_attrs=prefer-standby&sslmode=verify-full/),
  });
});

test("what was never done is null, not absent", () => {
  expect(Object.keys(outputs)).toEqual(expect.arrayContaining(["lastRestart", "lastSwitchover", "lastDrill"]));
});

test("the connection strings are secret", async () => {
  const shown = await outputsAsShown(stack);
  expect(shown).toMatchObject({ readWriteUri: "[secret]", readOnlyUri: "[secret]" });
});

test("the authority of the outputs is enough to verify every node by name", async () => {
  for (const node of NODES) {
    const connection = await verifyFull(node, outputs.certificateAuthority);
    expect(await psqlAsClient(IMAGE, connection, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")).toBe("t");
  }
});

test("a client that trusts another authority does not connect", async () => {
  const { certificatePem } = await newAuthority("another authority");
  expect(await psqlRefusal(IMAGE, await verifyFull("node-1", certificatePem))).toContain("certificate verify failed");
});

/** A connection string for one node by a name of this machine, with the authority in a file. */
async function verifyFull(node: string, authority: string): Promise<string> {
  const certificate = join(stack.directory, "root.crt");
  await writeFile(certificate, authority);
  const { port, user, password, database } = ownerLogin(outputs, node);
  const login = `host=localhost port=${port} user=${user} password=${password} dbname=${database}`;
  return `${login} sslmode=verify-full sslrootcert=${certificate}`;
}
