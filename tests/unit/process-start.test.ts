import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { PROJECT_DIRECTORY } from "../support/project.ts";

test("the program loads no compiler, and attaches no debugger to itself", async () => {
  const script = `
    require("@pulumi/pulumi");
    await require("@pulumi/pulumi/runtime/closure/v8Hooks.js").isInitializedAsync();
    console.log(require("typescript").version, process.moduleLoadList.includes("NativeModule inspector"));`;
  const { stdout } = await execa("node", ["--import=./lean-packages.ts", "--eval", `(async () => {${script}})()`], {
    cwd: PROJECT_DIRECTORY,
  });
  expect(stdout).toBe("undefined false");
});

test("a provider that is killed leaves what it compiled for the next one", async () => {
  const cache = await mkdtemp(join(tmpdir(), "pg-topology-compile-cache-"));
  try {
    const provider = execa("node", ["provider/main.ts", "127.0.0.1:1"], {
      cwd: PROJECT_DIRECTORY,
      env: { NODE_COMPILE_CACHE: cache },
      reject: false,
    });
    // It says its port once it has loaded all.
    for await (const line of provider) if (/^\d+$/.test(line)) provider.kill("SIGKILL");
    await provider;
    expect((await readdir(cache, { recursive: true })).length).toBeGreaterThan(100);
  } finally {
    await rm(cache, { recursive: true });
  }
});
