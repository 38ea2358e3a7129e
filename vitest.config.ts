import { defineConfig } from "vitest/config";

const MINUTE_MILLISECONDS = 60_000;

export default defineConfig({
  test: {
    restoreMocks: true,
    unstubEnvs: true,
    projects: [
      {
        test: {
          name: "static",
          include: ["tests/static/**/*.test.ts"],
          testTimeout: 3 * MINUTE_MILLISECONDS,
        },
      },
      {
        test: {
          name: "unit",
          include: ["tests/unit/**/*.test.ts"],
          // Properties of hundreds of random values take seconds on a busy machine.
          testTimeout: MINUTE_MILLISECONDS,
        },
      },
      {
        test: {
          name: "components",
          include: ["tests/components/**/*.test.ts"],
          env: { PULUMI_ERROR_OUTPUT_STRING: "1" },
          // A whole program each: seconds on a busy machine.
          testTimeout: MINUTE_MILLISECONDS,
        },
      },
      {
        test: {
          name: "toolchain",
          include: ["tests/toolchain/**/*.test.ts"],
          testTimeout: 2 * MINUTE_MILLISECONDS,
          hookTimeout: 2 * MINUTE_MILLISECONDS,
        },
      },
      {
        test: {
          name: "integration",
          include: ["tests/integration/**/*.test.ts"],
          // Every test has a stack of its own. Much of its time it waits for servers: two fill two cores.
          maxWorkers: 2,
          testTimeout: 5 * MINUTE_MILLISECONDS,
          hookTimeout: 5 * MINUTE_MILLISECONDS,
          // Last, and alone.
          sequence: { groupOrder: 1 },
          // Most questions start a process in a container: asked all the time, they would keep the servers from answering.
          expect: { poll: { interval: 250, timeout: 30_000 } },
        },
      },
    ],
  },
});
