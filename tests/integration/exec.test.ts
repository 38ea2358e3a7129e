import { randomBytes } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { connectEngine } from "../../operations/engine.ts";
import { OperationError } from "../../operations/errors.ts";
import { execIn } from "../../operations/exec.ts";
import { docker } from "../support/containers.ts";

const ROUNDS = 4;
const ASKERS = 6;

test("a container that stops while it is asked cannot be asked, and that is all: no failure of the engine comes through", async () => {
  const container = `pg-topology-test-${randomBytes(3).toString("hex")}`;
  onTestFinished(() => docker("rm", "-f", container).then(() => undefined));
  await docker("create", "--name", container, "--entrypoint", "sleep", "postgres:17", "600");
  const failures: unknown[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    await docker("start", container);
    const askers = Array.from({ length: ASKERS }, () => askUntilItFails(container));
    await docker("kill", container);
    failures.push(...(await Promise.all(askers)));
  }
  for (const failure of failures) expect(failure).toBeInstanceOf(OperationError);
  expect(failures.map(String)).toContainEqual(expect.stringContaining(`${container} cannot be asked: `));
});

async function askUntilItFails(container: string): Promise<unknown> {
  for (;;) {
    try {
      await execIn(connectEngine(), { container, user: "postgres", command: ["true"] });
    } catch (error) {
      return error;
    }
  }
}
