import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Clone } from "../support/clone.ts";
import { PROJECT_DIRECTORY, PROJECT_NAME } from "../support/project.ts";
import { record } from "../support/terminal.ts";
import { Walk } from "../support/walk.ts";
import { WORLD } from "../support/world.ts";

interface Step {
  readonly command: string;
  /** Of the picture behind the block that the command ends: it shows the command on a terminal. */
  readonly picture: string | undefined;
}

/** Every fenced shell command of a document, in its order. */
function stepsOf(document: string): Step[] {
  const text = readFileSync(join(PROJECT_DIRECTORY, document), "utf8");
  const blocks = text.matchAll(/^```sh\n([^]*?)^```\n(?:\n!\[[^\]]*\]\(\S*?images\/(terminal-\S+)\.png\))?/gm);
  return [...blocks].flatMap(([, block = "", picture]) => {
    const commands = block.split("\n").map((line) => line.replace(/ +# .*$/, ""));
    const typed = commands.filter((command) => command !== "");
    return typed.map((command, index) => ({ command, picture: index === typed.length - 1 ? picture : undefined }));
  });
}

/** Those that would run these very tests. */
const THIS_RUN = ["npm test"];

test("the README shows how to start, test, look, change and clean up", () => {
  const commands = stepsOf("README.md").map(({ command }) => command);
  for (const script of [
    "npm start",
    "npm test",
    "npm run preview",
    "npm run status",
    "npm run recover -- --unfinished-only",
  ]) {
    expect(commands).toContain(script);
  }
  expect(commands.at(-1)).toContain("npm run destroy");
});

// One after the other, as a reader would: each finds what those before it made.
describe.each(WORLD ? ["README.md", "docs/guide.md"] : ["README.md"])("%s", (document) => {
  const walk = new Walk(document);
  let clone: Clone;
  beforeAll(async () => {
    clone = await Clone.create();
  });
  afterAll(async () => {
    await clone.dispose();
    await walk.keep();
  });

  const steps = stepsOf(document).filter(({ command }) => !THIS_RUN.includes(command));
  test.each(steps)("$command", async ({ command, picture }) => {
    const typed = command.replaceAll(`${PROJECT_NAME}-dev`, `${clone.project}-dev`);
    const recording = await record(clone, typed);
    expect(recording.exitCode, recording.written).toBe(0);
    walk.add({ ...recording, command, written: recording.written.replaceAll(clone.project, PROJECT_NAME) }, picture);
  });
});
