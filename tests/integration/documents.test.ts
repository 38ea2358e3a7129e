import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Clone } from "../support/clone.ts";
import { PROJECT_DIRECTORY, PROJECT_NAME } from "../support/project.ts";

/** Every fenced shell command of a document, in its order. */
const commandsOf = (document: string): string[] =>
  [...readFileSync(join(PROJECT_DIRECTORY, document), "utf8").matchAll(/^```sh\n([^]*?)^```/gm)]
    .flatMap(([, block = ""]) => block.split("\n"))
    .map((line) => line.replace(/ +# .*$/, ""))
    .filter((line) => line !== "");

/** Those that would run these very tests. */
const THIS_RUN = ["npm test"];

test("the README shows how to start, test, look, change and clean up", () => {
  const commands = commandsOf("README.md");
  for (const script of ["npm start", "npm test", "npm run preview", "npm run status", "npm run recover"]) {
    expect(commands).toContain(script);
  }
  expect(commands.at(-1)).toContain("npm run destroy");
});

// One after the other, as a reader would: each finds what those before it made.
describe.each(["README.md", "docs/guide.md"])("%s", (document) => {
  let clone: Clone;
  beforeAll(async () => {
    clone = await Clone.create();
  });
  afterAll(() => clone.dispose());

  test.each(commandsOf(document).filter((command) => !THIS_RUN.includes(command)))("%s", async (command) => {
    await clone.succeed(command.replaceAll(`${PROJECT_NAME}-dev`, `${clone.project}-dev`));
  });
});
