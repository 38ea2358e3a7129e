import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommand } from "../support/commands.ts";
import { containerId } from "../support/containers.ts";
import { expectConverged, expectObjects } from "../support/convergence.ts";
import { expectFailingPreview, expectFailingUp, expectFailure } from "../support/failures.ts";
import { freePorts } from "../support/ports.ts";
import { psqlIn, startTimeIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";
import { WORLD, inWorld } from "../support/world.ts";

const NODES = ["node-1", "node-2"] as const;

let stack: TestStack;
let config: StackConfig;

beforeAll(async () => {
  const ports = await freePorts(NODES.length);
  config = { primary: "node-1", nodes: NODES.map((name, index) => ({ name, port: ports[index] })) };
  stack = await TestStack.create({ ...config, deletionProtection: true });
  await stack.up();
  await psqlIn(stack.container("node-1"), "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS number");
});
afterAll(() => stack.dispose());

test.each(WORLD ? [{ args: [] }, { args: ["--skip-preview"] }] : [{ args: ["--skip-preview"] }])(
  "with deletionProtection, destroy ($args) refuses, names the volumes, and touches nothing",
  async ({ args }) => {
    const before = await identities();
    const volumes = NODES.map((node) => `${stack.container(node)}-data`);
    await expectFailure(stack, ["destroy", "--yes", ...args], [...volumes, "deleted", "protect"]);
    expect(await identities()).toEqual(before);
    await expectConverged(stack, NODES);
  },
);

test("with deletionProtection, npm run destroy does not even begin", async () => {
  const { exitCode, output } = await runCommand(stack, "destroy", "--yes", "--config-file", stack.configFile);
  expect(exitCode).toBe(1);
  expect(output).toMatch(/^the stack cannot be deleted: its data volumes .* are protected\. .* No data was removed\.$/);
});

inWorld(() => {
  test("with deletionProtection, a standby that is taken out of the stack file is refused, and runs on", async () => {
    const before = await identities();
    const alone = { ...config, nodes: (config["nodes"] as object[]).slice(0, 1) };
    const refusal = [`${stack.container("node-2")}-data would be removed, which deletionProtection forbids`];
    await stack.configure({ ...alone, deletionProtection: true });
    await expectFailingPreview(stack, ...refusal);
    await expectFailingUp(stack, ...refusal);
    await stack.configure({ ...alone, deletionProtection: false });
    await expectFailingUp(stack, ...refusal);
    expect(await identities()).toEqual(before);
    await stack.configure({ ...config, deletionProtection: true });
    await stack.up();
    await expectConverged(stack, NODES);
  });
});

test("without it, destroy removes everything", async () => {
  await stack.configure(config);
  await stack.up();
  await stack.succeed(["destroy", "--yes"]);
  await expectObjects(stack, []);
});

async function identities(): Promise<string[]> {
  const containers = NODES.map((node) => stack.container(node));
  return [...(await Promise.all(containers.map(containerId))), ...(await Promise.all(containers.map(startTimeIn)))];
}
