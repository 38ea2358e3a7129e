import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { readSettings } from "../../settings/read.ts";

beforeEach(async () => {
  await pulumi.runtime.setMocks(
    { newResource: ({ inputs }) => ({ id: "", state: inputs as object }), call: () => ({}) },
    "pg-topology",
    "dev",
  );
});

const GOOD = { "pg-topology:primary": "node-1", "pg-topology:nodes": '[{"name":"node-1","port":5455}]' };

function errorOf(config: Record<string, string>, secretKeys: string[] = []): unknown {
  pulumi.runtime.setAllConfig(config, secretKeys);
  try {
    readSettings();
  } catch (error) {
    return error;
  }
  return null;
}

describe("readSettings", () => {
  test("reads the stack's configuration, and leaves other namespaces alone", () => {
    pulumi.runtime.setAllConfig({ ...GOOD, "docker:host": "unix:///var/run/docker.sock", "aws:region": "x" });

    expect(readSettings()).toMatchObject({
      primary: "node-1",
      nodes: [{ name: "node-1", port: 5455 }],
      postgresMajor: 17,
    });
  });

  test("throws one error with all problems, of the kind that Pulumi shows without a stack trace", () => {
    const error = errorOf({ "pg-topology:colour": "blue" });

    expect(pulumi.RunError.isInstance(error)).toBe(true);
    expect(String(error)).toMatch(/The stack file of stack dev has 3 problems:/);
  });

  test("takes encrypted passwords", () => {
    const config = { ...GOOD, "pg-topology:passwords": '{"owner":"correct horse battery"}' };

    expect(errorOf(config, ["pg-topology:passwords"])).toBeNull();
  });

  test("refuses passwords in plain text, and does not show them", () => {
    const error = errorOf({ ...GOOD, "pg-topology:passwords": '{"owner":"correct horse battery"}' });

    expect(String(error)).toContain("there is a password in plain text");
    expect(String(error)).not.toContain("horse");
  });

  test("logs warnings, and goes on", () => {
    const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
    pulumi.runtime.setAllConfig({ ...GOOD, "pg-topology:image": "postgres:19" });

    expect(readSettings().postgresMajor).toBe(19);
    expect(warn.mock.calls).toEqual([[expect.stringContaining("newer than what was tested")]]);
  });

  test("throws no error but its own, whatever the configuration is", () => {
    const key = fc.oneof(
      fc.constantFrom("nodes", "primary", "parameters", "__proto__", "passwords"),
      fc.string({ unit: "binary" }),
    );
    const value = fc.oneof(fc.json(), fc.string({ unit: "binary" }));

    fc.assert(
      fc.property(fc.array(fc.tuple(key, value)), fc.array(key), (entries, secrets) => {
        const config = Object.fromEntries(entries.map(([name, text]) => [`pg-topology:${name}`, text]));
        const error = errorOf(
          config,
          secrets.map((name) => `pg-topology:${name}`),
        );

        expect(error === null || pulumi.RunError.isInstance(error)).toBe(true);
      }),
    );
  });
});
