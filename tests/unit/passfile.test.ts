import fc from "fast-check";
import { expect, test } from "vitest";
import { passfileLine } from "../../plan/passfile.ts";

/** As libpq reads a line: fields end at a colon, and a backslash takes the next character as it is. */
function fields(line: string): string[] {
  const all = [""];
  for (const [, escaped, plain = ""] of line.matchAll(/\\([^])|([^])/g)) {
    if (escaped === undefined && plain === ":") all.push("");
    else all.push((all.pop() ?? "") + (escaped ?? plain));
  }
  return all;
}

test("colons and backslashes are escaped", () => {
  expect(passfileLine("repuser", String.raw`pa:ss\word`)).toBe(String.raw`*:*:*:repuser:pa\:ss\\word` + "\n");
});

test("libpq reads back every user and password", () => {
  const field = fc.string({ minLength: 1 });
  fc.assert(
    fc.property(field, field, (user, password) => {
      expect(fields(passfileLine(user, password).replace(/\n$/, ""))).toEqual(["*", "*", "*", user, password]);
    }),
  );
});
