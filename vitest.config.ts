import { defineConfig } from "vitest/config";
import type { TestProjectInlineConfiguration } from "vitest/config";
import { BaseSequencer } from "vitest/node";
import type { TestSpecification } from "vitest/node";

const MINUTE_MILLISECONDS = 60_000;

/** Tests beside which others may run: two fill two cores, also where one of them waits for another process. */
const SIDE_BY_SIDE = { maxWorkers: 2 };

/** Short files that take long: begun last, one of them would run alone for minutes. */
const LONG = ["killed-primary.test.ts", "documents.test.ts", "two-hosts.test.ts"];

/** Otherwise Vitest begins with the largest files. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean => LONG.some((name) => moduleId.endsWith(`/${name}`));
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

/** Tests with real stacks, one each. */
function withStacks(name: string, include: string[], env: Record<string, string>): TestProjectInlineConfiguration {
  return {
    test: {
      name,
      include,
      env,
      // Much of its time a test waits for servers: two fill two cores.
      maxWorkers: 2,
      testTimeout: 5 * MINUTE_MILLISECONDS,
      hookTimeout: 5 * MINUTE_MILLISECONDS,
      // Last, and alone.
      sequence: { groupOrder: 1 },
      // Most questions start a process in a container: asked all the time, they would keep the servers from answering.
      expect: { poll: { interval: 250, timeout: 30_000 } },
    },
  };
}

export default defineConfig({
  test: {
    restoreMocks: true,
    unstubEnvs: true,
    sequence: { sequencer: LongFirst },
    projects: [
      {
        test: {
          ...SIDE_BY_SIDE,
          name: "static",
          include: ["tests/static/**/*.test.ts"],
          testTimeout: 3 * MINUTE_MILLISECONDS,
        },
      },
      {
        test: {
          ...SIDE_BY_SIDE,
          name: "unit",
          include: ["tests/unit/**/*.test.ts"],
          // Properties of hundreds of random values take seconds on a busy machine.
          testTimeout: MINUTE_MILLISECONDS,
        },
      },
      {
        test: {
          ...SIDE_BY_SIDE,
          name: "components",
          include: ["tests/components/**/*.test.ts"],
          env: { PULUMI_ERROR_OUTPUT_STRING: "1" },
          // A whole program each: seconds on a busy machine.
          testTimeout: MINUTE_MILLISECONDS,
        },
      },
      {
        test: {
          ...SIDE_BY_SIDE,
          name: "toolchain",
          include: ["tests/toolchain/**/*.test.ts"],
          testTimeout: 2 * MINUTE_MILLISECONDS,
          hookTimeout: 2 * MINUTE_MILLISECONDS,
        },
      },
      withStacks("integration", ["tests/integration/**/*.test.ts"], {}),
      // The same and what takes longer: docs/decisions/040-two-test-commands.md.
      withStacks("world", ["tests/integration/**/*.test.ts", "tests/world/**/*.test.ts"], { PG_TOPOLOGY_WORLD: "1" }),
    ],
  },
});
