import { execa } from "execa";
import { expect, test } from "vitest";
import { PROJECT_DIRECTORY } from "../support/project.ts";

// Node strips the types of less than what the tests' own runner takes.
test("npm run bench can be loaded, and names its sections", async () => {
  const { exitCode, stderr } = await execa("node", ["bench/run.ts", "nothing"], {
    cwd: PROJECT_DIRECTORY,
    reject: false,
  });
  expect(exitCode).toBe(1);
  expect(stderr).toContain("there is no section nothing; there are start-up, base-backup, backup, changes, switchover");
});
