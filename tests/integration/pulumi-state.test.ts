/** The state of a stack, read while an update writes it. */
import { readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { exportState } from "../../operations/pulumi-state.ts";
import { PROJECT_DIRECTORY, PROJECT_NAME } from "../support/project.ts";
import { TestStack } from "../support/stack.ts";

let stack: TestStack;
let attributes: string;

beforeAll(async () => {
  stack = await TestStack.create({});
  attributes = join(stack.directory, `.pulumi/stacks/${PROJECT_NAME}/${stack.name}.json.attrs`);
});

beforeEach(() => {
  vi.stubEnv("PULUMI_BACKEND_URL", stack.environment["PULUMI_BACKEND_URL"]);
});

afterAll(() => stack.dispose());

const read = (name: string) => exportState({ projectDirectory: PROJECT_DIRECTORY, stack: name });

test("a state that is just being written is read once it is written", async () => {
  const before = await read(stack.name);
  const content = await readFile(attributes);
  await truncate(attributes);
  const reading = read(stack.name);
  await sleep(1500);
  await writeFile(attributes, content);
  expect(await reading).toEqual(before);
  expect(before).toHaveProperty("deployment");
});

test("a state that stays unreadable is said, with what the CLI says of it", async () => {
  await truncate(attributes);
  await expect(read(stack.name)).rejects.toThrow(
    `the state of stack ${stack.name} cannot be read: error: failed to load checkpoint: EOF`,
  );
});

test("a stack that the backend does not have is an empty state", async () => {
  expect(await read("nobody")).toEqual({});
});
