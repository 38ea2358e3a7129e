import { writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { OperationError } from "../operations/errors.ts";
import { runCommand } from "./command.ts";
import { DEFAULT_STACK, PROJECT_DIRECTORY, shortStackName } from "./project.ts";
import { nodesWithOwnImage, rollingStackFile, rollingSteps } from "./rolling-plan.ts";
import type { RollingStackFile, RollingStep } from "./rolling-plan.ts";
import { isUpdated, stackConfig, startOnTerminal } from "./stack-file.ts";

/** As a shell tells of SIGINT. */
const INTERRUPTED_EXIT_CODE = 130;

await runCommand({
  usage: `usage: npm run rolling-update -- --image IMAGE [--stack NAME]
Brings another image of the same major to every node of a stack (default: ${DEFAULT_STACK}), one at a time: standbys
first, each back and streaming before the next; then one of them becomes the primary, and the old primary is the last.
A primary without such a standby is replaced in its place. What is done is written into the stack file first: the image,
and the new primary. Nothing is, where the preview refuses the image, or a node has an \`image\` of its own. Interrupted,
it goes on where it was when it is run again.`,
  options: {
    image: { type: "string" },
    stack: { type: "string", short: "s", default: DEFAULT_STACK },
  },
  failureExitCode: 1,
  run: async ({ image, stack }) => {
    if (image === undefined)
      throw new OperationError("Name the image: npm run rolling-update -- --image postgres:17.6");
    const file = await readStackFile(stack);
    refuseOwnImages(file, image);
    const steps = rollingSteps(file, image);
    let exitCode = 0;
    for (const [index, step] of steps.entries()) {
      console.log(`${index + 1} of ${steps.length}: ${inWords(step, file, image)}`);
      await write(step, image, stack);
      exitCode = await startOnTerminal(stack);
      if (isUpdated(exitCode)) continue;
      console.error(
        "The rolling update did not come to its end: nodes whose turn had not come keep their containers. Run it again to go on; to go back, put `image` and the nodes' own back in the stack file, and run npm start.",
      );
      return exitCode;
    }
    return exitCode;
  },
});

async function readStackFile(stack: string): Promise<RollingStackFile> {
  const [primary, image, nodes] = await Promise.all(
    ["primary", "image", "nodes"].map(async (key) => {
      const { stdout, exitCode } = await stackConfig(stack, "get", key);
      return exitCode === 0 ? stdout : undefined;
    }),
  );
  const parsed = rollingStackFile.safeParse({ primary, image, nodes: fromJson(nodes) });
  if (parsed.success) return parsed.data;
  throw new OperationError(
    `expected the stack file of ${stack} to name its \`primary\` and its \`nodes\`. \`npm run preview -- --stack ${stack}\` says what is wrong.`,
  );
}

function fromJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}

/** Such a node would stay behind, and nobody would be told. */
function refuseOwnImages(file: RollingStackFile, image: string): void {
  const names = nodesWithOwnImage(file, image);
  if (names.length === 0) return;
  throw new OperationError(
    `${names.join(", ")} would not get ${image}: the stack file has an \`image\` of its own for each. Remove it from \`nodes\` first. Nothing was changed.`,
  );
}

function inWords(step: RollingStep, { nodes, primary }: RollingStackFile, image: string): string {
  switch (step.kind) {
    case "as it is":
      return "what was begun before is finished";
    case "standbys":
      return `${step.indices.map((index) => nodes[index]?.name).join(", ")} get ${image}`;
    case "switchover":
      return `${step.to} becomes the primary in place of ${primary}`;
    case "all":
      return `${image} is the image of all nodes`;
  }
}

async function write(step: RollingStep, image: string, stack: string): Promise<void> {
  switch (step.kind) {
    case "as it is":
      return;
    case "standbys":
      return changed(
        stack,
        step.indices.map((index) => ["set", "--path", `nodes[${index}].image`, image]),
      );
    case "switchover":
      return changed(stack, [["set", "primary", step.to]]);
    case "all": {
      const own = step.ownImages.map((index) => ["rm", "--path", `nodes[${index}].image`]);
      return changed(stack, [["set", "image", image], ...own]);
    }
  }
}

/** A stack file that the preview refuses would be refused by every later update too: it is left as it was. */
async function changed(stack: string, changes: readonly (readonly string[])[]): Promise<void> {
  const file = join(PROJECT_DIRECTORY, `Pulumi.${shortStackName(stack)}.yaml`);
  const before = await readFile(file, "utf8").catch(() => {
    throw new OperationError(`There is no stack file ${file}.`);
  });
  const takeBack = (): never => {
    writeFileSync(file, before);
    console.error("\nInterrupted. The stack file is as it was before this step.");
    process.exit(INTERRUPTED_EXIT_CODE);
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.on(signal, takeBack);
  const isChanged = await allSucceed(changes.map((change) => ["config", ...change, "--stack", stack]));
  const isTaken = isChanged && (await allSucceed([["preview", "--stack", stack]]));
  for (const signal of signals) process.off(signal, takeBack);
  if (isTaken) return;
  writeFileSync(file, before);
  throw new OperationError("The preview refuses that: see above. The stack file is as it was before this step.");
}

async function allSucceed(commands: readonly (readonly string[])[]): Promise<boolean> {
  for (const command of commands) {
    if ((await onTerminal(command)).exitCode !== 0) return false;
  }
  return true;
}

function onTerminal(args: readonly string[]) {
  return execa("pulumi", args, { cwd: PROJECT_DIRECTORY, stdio: "inherit", reject: false });
}
