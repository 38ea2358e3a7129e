import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hasUnknowns, redact, sameValue, secret, unwrap } from "../../provider/values.ts";

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const json = fc.jsonValue({ noUnicodeString: false });

describe("unwrap", () => {
  test("takes secrets out of their wrappings at any depth, and tells which texts they were", () => {
    const secrets = new Set<string>();
    const wrapped = { user: "app", login: secret({ password: "p1", hints: ["p2"] }), list: [secret("p3")] };
    expect(unwrap(wrapped, secrets)).toEqual({
      user: "app",
      login: { password: "p1", hints: ["p2"] },
      list: ["p3"],
    });
    expect([...secrets].toSorted()).toEqual(["p1", "p2", "p3"]);
  });

  test("leaves everything else as it is", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(unwrap(value)).toEqual(value);
      }),
    );
  });
});

describe("redact", () => {
  test("takes out every secret, also one that is a part of another", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 8 }), { minLength: 1 }), fc.string(), (secrets, between) => {
        const text = redact(secrets.join(between), secrets);
        for (const word of secrets.filter((candidate) => !"[secret]".includes(candidate))) {
          expect(text).not.toContain(word);
        }
      }),
    );
    expect(redact("it is abcdef", ["abc", "abcdef"])).toBe("it is [secret]");
    expect(redact("a.c (abc)", ["a.c"])).toBe("[secret] (abc)");
    expect(redact("it is t", ["t", "is"])).toBe("i[secret] [secret] [secret]");
    expect(redact("nothing to hide", [])).toBe("nothing to hide");
  });
});

describe("sameValue", () => {
  test.each([
    ["the order of keys", { a: 1, b: 2 }, { b: 2, a: 1 }],
    ["null and absence", { a: 1, b: null }, { a: 1 }],
    ["null and absence deep inside", [{ a: { b: undefined } }], [{ a: {} }]],
  ])("%s is no difference", (_title, a, b) => {
    expect(sameValue(a, b)).toBe(true);
  });

  test.each([
    ["another text", { a: "1" }, { a: "2" }],
    ["a number and its text", { a: 1 }, { a: "1" }],
    ["another order in a list", [1, 2], [2, 1]],
    ["one more in a list", [1], [1, 1]],
    ["empty and absent", { a: "" }, {}],
  ])("%s is one", (_title, a, b) => {
    expect(sameValue(a, b)).toBe(false);
  });

  test("a value is the same as its copy", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(sameValue(value, structuredClone(value))).toBe(true);
      }),
    );
  });
});

test("an unknown is found wherever it is", () => {
  expect(hasUnknowns({ a: [{ b: UNKNOWN }] })).toBe(true);
  expect(hasUnknowns({ a: secret(UNKNOWN) })).toBe(true);
  expect(hasUnknowns({ a: [{ b: "known" }], c: null })).toBe(false);
});
