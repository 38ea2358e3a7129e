import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { OperationError } from "../operations/errors.ts";
import { runCommand } from "./command.ts";
import { nodesWithOwnImage } from "./own-images.ts";
import { DEFAULT_STACK, PROJECT_DIRECTORY, shortStackName } from "./project.ts";

await runCommand({
  usage: `usage: npm run rolling-update -- --image IMAGE [--stack NAME]
Brings another image of the same major to every node of a stack (default: ${DEFAULT_STACK}), one at a time: standbys
first, each back and streaming before the next, and the primary last. The image is written into the stack file, unless
the preview refuses it, or a node there has an \`image\` of its own. Interrupted, it goes on where it was when it is run
again.`,
  options: {
    image: { type: "string" },
    stack: { type: "string", short: "s", default: DEFAULT_STACK },
  },
  failureExitCode: 1,
  run: async ({ image, stack }) => {
    if (image === undefined)
      throw new OperationError("Name the image: npm run rolling-update -- --image postgres:17.6");
    await refuseOwnImages(image, stack);
    await setImage(image, stack);
    const { exitCode } = await onTerminal("node", [join(PROJECT_DIRECTORY, "commands", "start.ts"), "--stack", stack]);
    if (exitCode === 0) return 0;
    console.error(
      `The rolling update did not come to its end: nodes whose turn had not come keep their containers. Run it again to go on, or with the image from before to go back.`,
    );
    return exitCode ?? 1;
  },
});

/** Such a node would stay behind, and nobody would be told. */
async function refuseOwnImages(image: string, stack: string): Promise<void> {
  const command = ["config", "get", "nodes", "--stack", stack, "--non-interactive"];
  const { stdout } = await execa("pulumi", command, { cwd: PROJECT_DIRECTORY, reject: false });
  const names = nodesWithOwnImage(stdout, image);
  if (names.length === 0) return;
  throw new OperationError(
    `${names.join(", ")} would not get ${image}: the stack file has an \`image\` of its own for each. Remove it from \`nodes\` first. Nothing was changed.`,
  );
}

/** A stack file whose image the preview refuses would refuse every later update too: it is left as it was. */
async function setImage(image: string, stack: string): Promise<void> {
  const file = join(PROJECT_DIRECTORY, `Pulumi.${shortStackName(stack)}.yaml`);
  const before = await readFile(file, "utf8").catch(() => {
    throw new OperationError(`There is no stack file ${file}.`);
  });
  const set = await onTerminal("pulumi", ["config", "set", "image", image, "--stack", stack]);
  const preview = set.exitCode === 0 ? await onTerminal("pulumi", ["preview", "--stack", stack]) : set;
  if (preview.exitCode === 0) return;
  await writeFile(file, before);
  throw new OperationError(`The preview refuses ${image}: see above. The stack file is as it was.`);
}

function onTerminal(command: string, args: readonly string[]) {
  return execa(command, args, { cwd: PROJECT_DIRECTORY, stdio: "inherit", reject: false });
}
