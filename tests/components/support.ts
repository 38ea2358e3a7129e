import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceRequest, RegisterResourceResponse } from "@pulumi/pulumi/proto/resource_pb.js";
import { vi } from "vitest";

/** A resource as the program registered it. */
export interface Registration {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  /** "" for what stands at the top of the program. */
  readonly parent: string;
  readonly custom: boolean;
  /** As the engine gets them: what is secret is wrapped. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Names of the resources that it waits for, of components and of what is in them. */
  readonly dependsOn: readonly string[];
  readonly deletedWith: string;
  readonly protect: boolean;
  readonly ignoreChanges: readonly string[];
  readonly secretOutputs: readonly string[];
}

/** In every generated password and key; where it stands in the open, a secret got out. */
export const CANARY = "canary-8f3a61";

const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const WITHHELD = "(secret)";

/** Of a server that never was: programs may read when it ends. */
const CERTIFICATE = readFileSync(new URL("server.pem", import.meta.url), "utf8");

/** What the provider would add to the inputs of a resource. */
function outputsOf(type: string, name: string): Record<string, unknown> {
  const keyPair = {
    certificatePem: `certificate of ${name}`,
    trustedPem: `certificate of ${name}`,
    crossPem: "",
    privateKeyPem: pulumi.secret(`${CANARY} key of ${name}`),
  };
  switch (type) {
    case "pgtopology:index:Password":
      return { value: pulumi.secret(`${CANARY} ${name}`) };
    case "pgtopology:index:CertificateAuthority":
      return keyPair;
    case "pgtopology:index:ServerCertificate":
      return { ...keyPair, certificatePem: CERTIFICATE };
    case "pgtopology:index:DatabaseCluster":
      return { systemIdentifier: "7710573247014883365" };
    case "pgtopology:index:VolumeFiles":
      return { writtenAt: `files of ${name}` };
    case "pgtopology:index:Topology":
      return {
        primary: "node-1",
        systemIdentifier: "7710573247014883365",
        timeline: 1,
        replication: [],
        lastRestart: null,
      };
    default:
      return {};
  }
}

/** The keys of a stack file, without their namespace. */
export type Keys = Readonly<Record<string, unknown>>;

export interface ProgramRun {
  readonly registrations: readonly Registration[];
  /** The outputs of the stack. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** The registration of that name; an error if there is none. */
  readonly find: (name: string) => Registration;
}

/** Runs the program, index.ts itself, for a stack file. Nothing is made: every resource is as the mocks say. */
export async function runProgram(keys: Keys, { preview = false } = {}): Promise<ProgramRun> {
  const registrations: Registration[] = [];
  await pulumi.runtime.setMocks(
    {
      call: () => ({}),
      newResource: ({ type, name, inputs }) => ({
        id: `${name}-id`,
        state: { ...(inputs as Record<string, unknown>), ...outputsOf(type, name) },
      }),
    },
    "pg-topology",
    "dev",
    preview,
  );
  recordInto(registrations);
  const config = Object.entries(keys).map(([key, value]) => [
    `pg-topology:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  pulumi.runtime.setAllConfig(Object.fromEntries(config) as Record<string, string>, ["pg-topology:passwords"]);
  vi.resetModules();
  const outputs = await import("../../index.ts");
  await pulumi.runtime.disconnect();
  const find = (name: string): Registration => {
    const registration = registrations.find((candidate) => candidate.name === name);
    if (registration === undefined) throw new Error(`the program registers no ${name}`);
    return registration;
  };
  return { registrations, outputs, find };
}

function recordInto(registrations: Registration[]): void {
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  vi.spyOn(monitor, "registerResource").mockImplementation((request, answer) =>
    register(request, (error, response) => {
      if (response !== undefined) registrations.push(registrationOf(request, response));
      answer(error, response);
    }),
  );
}

/** As much of the mock monitor as is watched; its own types know nothing of requests. */
interface Monitor {
  registerResource(request: RegisterResourceRequest, answer: Answer): Promise<void>;
}

type Answer = (error: unknown, response: RegisterResourceResponse | undefined) => void;

function registrationOf(request: RegisterResourceRequest, response: RegisterResourceResponse): Registration {
  return {
    type: request.getType(),
    name: request.getName(),
    urn: response.getUrn(),
    parent: nameOf(request.getParent()),
    custom: request.getCustom(),
    inputs: request.getObject()?.toJavaScript() ?? {},
    dependsOn: [...new Set(request.getDependenciesList().map(nameOf))].toSorted(),
    deletedWith: nameOf(request.getDeletedwith()),
    protect: request.getProtect() ?? false,
    ignoreChanges: request.getIgnorechangesList(),
    secretOutputs: request.getAdditionalsecretoutputsList(),
  };
}

const nameOf = (urn: string): string => urn.split("::").at(-1) ?? "";

/** Inputs without what is secret in them. */
export function inTheOpen(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inTheOpen);
  if (typeof value !== "object" || value === null) return value;
  if ((value as Record<string, unknown>)[SIGNATURE] === SECRET) return WITHHELD;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inTheOpen(item)]));
}
