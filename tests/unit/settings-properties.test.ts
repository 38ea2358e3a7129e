import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseStackFile } from "../../settings/parse.ts";
import { problemsMessage, warningText } from "../../settings/problems.ts";
import { stackFile } from "../../settings/stack-file.ts";
import { DEPLOYMENT, type Keys, configText, parseKeys, settingsOf } from "./settings-support.ts";

const PROTOTYPE_NAMES = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf"];
const INNER_KEYS = [
  "name",
  "port",
  "address",
  "upstream",
  "applyDelay",
  "subnet",
  "bindAddress",
  "owner",
  "user",
  "connectionLimit",
];
const MORE_INNER_KEYS = [
  "synchronous",
  "mode",
  "count",
  "enabled",
  "arguments",
  "database",
  "replication",
  "shared_buffers",
  "port",
  "wal_level",
];
const TELLING_VALUES = [
  "postgres:17",
  "node-1",
  "172.18.0.0/24",
  "172.18.0.1",
  "quorum",
  "all",
  "30min",
  "128MB",
  "-1",
  "1e999",
  "0.0.0.0/0",
];

const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string(),
  fc.constantFrom(...TELLING_VALUES, ...PROTOTYPE_NAMES),
);
const anyKey = fc.oneof(fc.constantFrom(...INNER_KEYS, ...MORE_INNER_KEYS, ...PROTOTYPE_NAMES), anyText);
/** Without NaN, which a message would rightly repeat, and which looks like a slip of ours there. */
const anyNumber = fc.oneof(fc.integer(), fc.double({ noNaN: true }), fc.constantFrom(-1, 0, 1, 65_536, 2 ** 53, -0));
const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, anyText, anyNumber, fc.boolean(), fc.constant(null), tie("list"), tie("mapping")),
  list: fc.array(tie("value"), { maxLength: 4 }),
  mapping: fc
    .array(fc.tuple(anyKey, tie("value")), { maxLength: 5 })
    .map((entries) => Object.fromEntries(entries) as Keys),
}));
const topLevelKey = fc.oneof(
  fc.constantFrom(...Object.keys(stackFile.shape), ...PROTOTYPE_NAMES, "hosts", "nodes[0].port"),
  anyText,
);
const namespace = fc.oneof(
  { weight: 8, arbitrary: fc.constant("pg-topology:") },
  { weight: 1, arbitrary: fc.constantFrom("pg-topolgy:", "aws:", "", ":") },
);
/** Values as Pulumi gives them, and some that it never would. */
const anyConfigValue = fc.oneof(
  anyValue.map(configText),
  anyValue,
  fc.constantFrom("[", "{", '{"a":', "NaN", "undefined"),
);
const anyConfig = fc.array(fc.tuple(namespace, topLevelKey, anyConfigValue), { maxLength: 12 });

describe("whatever a stack file holds", () => {
  test("it is parsed to settings or to problems that can be told, the same ones every time", () => {
    fc.assert(
      fc.property(anyConfig, fc.array(topLevelKey), anyText, (entries, secrets, stack) => {
        const config = Object.fromEntries(entries.map(([prefix, key, value]) => [prefix + key, value]));
        const secretKeys = new Set(secrets.map((key) => `pg-topology:${key}`));
        const parse = () => parseStackFile({ project: "pg-topology", stack, config, secretKeys });
        const result = parse();

        expect(parse()).toEqual(result);
        if (result.ok) return;
        expect(result.problems.length).toBeGreaterThan(0);
        for (const { what, allowed, fix } of result.problems) {
          // In quotes stands what the author wrote; a slip of ours stands without.
          expect(what.replaceAll(/"(?:[^"\\]|\\.)*"/g, "")).not.toMatch(/undefined|NaN|\[object/);
          expect(`${what}${allowed ?? ""}${fix}`).not.toMatch(/\p{Cc}/u);
        }
        expect(problemsMessage(result.problems, { project: "pg-topology", stack: "dev" })).toMatch(
          /^The stack file of stack dev has /,
        );
      }),
      { numRuns: 2_000 },
    );
  });

  test("a value deeper than any stack allows is refused like any other", () => {
    const deep = "[".repeat(200_000) + "]".repeat(200_000);
    for (const key of Object.keys(stackFile.shape)) {
      expect(
        parseStackFile({ ...DEPLOYMENT, config: { [`pg-topology:${key}`]: deep }, secretKeys: new Set() }).ok,
      ).toBe(false);
    }
  });
});

describe("secrets", () => {
  const CANARY = "canary-8f3a61";
  const somewhere = fc.constantFrom<(value: string) => unknown>(
    (value) => ({ owner: value }),
    (value) => ({ replication: `${value}\n` }),
    (value) => ({ owner: { deeper: value } }),
    (value) => ({ ownr: value }),
    (value) => ({ [`owner:${value}`]: null }),
    (value) => [value],
    (value) => value,
    (value) => `{"owner": "${value}`,
    (value) => ({ owner: [value], replication: value.repeat(200) }),
  );

  test("no message shows any part of passwords, whether they are encrypted or not", () => {
    fc.assert(
      fc.property(somewhere, fc.boolean(), anyText, (place, isEncrypted, noise) => {
        const passwords = place(CANARY + noise);
        const result = parseKeys({ passwords }, { secret: isEncrypted ? ["passwords"] : [] });

        expect(result.ok).toBe(false);
        expect(JSON.stringify(result)).not.toContain(CANARY);
        if (!result.ok) expect(problemsMessage(result.problems, DEPLOYMENT)).not.toContain(CANARY);
      }),
    );
  });

  test("no message shows an encrypted value, of whichever key", () => {
    fc.assert(
      fc.property(
        topLevelKey,
        somewhere,
        fc.dictionary(fc.constantFrom(...Object.keys(stackFile.shape)), anyValue),
        (key, place, others) => {
          const result = parseKeys({ ...others, [key]: place(CANARY) }, { secret: [key] });

          expect(result.ok).toBe(false);
          expect(JSON.stringify(result)).not.toContain(CANARY);
        },
      ),
    );
  });

  test("no message shows the value of a parameter that may hold a password", () => {
    for (const name of ["primary_conninfo", "ssl_passphrase_command", "restore_command"]) {
      expect(JSON.stringify(parseKeys({ parameters: { [name]: CANARY } }))).not.toContain(CANARY);
    }
  });
});

describe("good stack files", () => {
  const optional = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary, { nil: undefined });
  const nodeNames = fc.uniqueArray(
    fc.stringMatching(/^[a-z](?:[a-z0-9-]{0,20}[a-z0-9])?$/).filter((name) => name !== "localhost"),
    { minLength: 1, maxLength: 8 },
  );

  /** Nodes that stream from the primary or from one before them, so that there is no circle. */
  const topology = nodeNames.chain((names) =>
    fc.record({
      primary: fc.constant(names[0]),
      nodes: fc.tuple(
        ...names.map((name, index) =>
          fc.record({
            name: fc.constant(name),
            port: optional(fc.constant(5_400 + index)),
            address: optional(fc.constant(`10.9.0.${index + 2}`)),
            upstream: index === 0 ? fc.constant(undefined) : optional(fc.constantFrom(...names.slice(0, index))),
            applyDelay:
              index === 0
                ? fc.constant(undefined)
                : optional(
                    fc
                      .tuple(fc.integer({ min: 1, max: 20 }), fc.constantFrom("ms", "s", "min", "h", "d"))
                      .map(([amount, unit]) => `${amount}${unit}`),
                  ),
          }),
        ),
      ),
      network: fc.record({ subnet: fc.constant("10.9.0.0/24"), bindAddress: optional(fc.ipV4()) }),
      image: optional(fc.integer({ min: 14, max: 18 }).map((major) => `postgres:${major}`)),
      database: optional(
        fc.record({ name: optional(fc.constantFrom("shop", "a-b")), owner: optional(fc.constantFrom("shop", "_o")) }),
      ),
      replication: optional(
        fc.record({
          user: optional(fc.constantFrom("repuser", "streamer")),
          connectionLimit: optional(fc.integer({ min: 18, max: 262_143 })),
        }),
      ),
      parameters: optional(
        fc.dictionary(
          fc.constantFrom("work_mem", "shared_buffers", "maintenance_work_mem"),
          fc.integer({ min: 1, max: 999 }).map((size) => `${size}MB`),
        ),
      ),
      archiving: optional(fc.record({ enabled: fc.boolean() })),
      deletionProtection: optional(fc.boolean()),
    }),
  );

  test("are complete: null only where nothing is the default", () => {
    const mayBeNull = new Set([
      "afterPromotion",
      "bootstrap",
      "ownAuthority",
      "everySeconds",
      "rpoSeconds",
      "rtoSeconds",
      "maxReplayLagBytes",
      "maxWriteGapMs",
      "failover",
      "port",
      "address",
      "host",
      "metricsPort",
      "upstream",
      "applyDelay",
      "image",
      "subnet",
      "replication",
      "owner",
    ]);

    fc.assert(
      fc.property(topology, (keys) => {
        const settings = settingsOf(keys);

        JSON.stringify(settings, (key, value: unknown) => {
          expect(value).toBeDefined();
          if (value === null) expect(mayBeNull).toContain(key);
          return value;
        });
        expect(settings.nodes.map(({ name }) => name)).toEqual(keys.nodes.map(({ name }) => name));
        expect(settings.replication.user).toEqual(expect.any(String));
        expect(settings.database.owner).toEqual(expect.any(String));
      }),
    );
  });

  test("written down again as they were understood, they say the same", () => {
    fc.assert(
      fc.property(topology, (keys) => {
        const settings = { ...settingsOf(keys), passwords: {} };
        const withoutNulls = JSON.parse(JSON.stringify(settings, (_key, value: unknown) => value ?? undefined)) as Keys;

        expect(settingsOf(withoutNulls)).toEqual(settingsOf(keys));
      }),
    );
  });

  test("give every node a replication slot of its own", () => {
    fc.assert(
      fc.property(topology, (keys) => {
        const slots = settingsOf(keys).nodes.map(({ name }) => name.replaceAll("-", "_"));

        expect(new Set(slots).size).toBe(slots.length);
        for (const slot of slots) expect(slot).toMatch(/^[a-z0-9_]{1,63}$/);
      }),
    );
  });

  test("have warnings on one line each", () => {
    fc.assert(
      fc.property(topology, (keys) => {
        const result = parseKeys(keys);
        for (const finding of result.ok ? result.warnings : [])
          expect(warningText(finding, "pg-topology")).toMatch(/^pg-topology:.+\.$/);
      }),
    );
  });
});
