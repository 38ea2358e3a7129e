import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { IMPACT_FILE_VARIABLE, parseRecords } from "../../operations/impact-file.ts";
import type { ImpactRecord } from "../../operations/impact-file.ts";
import { docker } from "../support/containers.ts";
import { derivedImage, removeImages } from "../support/images.ts";
import { Ledger } from "../support/ledger.ts";
import type { StackOutputs } from "../support/outputs.ts";
import { freePorts } from "../support/ports.ts";
import { disturbed, startsOf } from "../support/restarts.ts";
import { psqlIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { StackConfig } from "../support/stack.ts";

// More than an everyday run takes: PG_TOPOLOGY_SEQUENCES=50, and others: PG_TOPOLOGY_SEED=2.
const SEQUENCES = Number(process.env["PG_TOPOLOGY_SEQUENCES"] ?? 1);
const SEED = Number(process.env["PG_TOPOLOGY_SEED"] ?? 1);
const STEPS = 4;

const IMAGE = "postgres:17";
const OTHER_IMAGE = "pg-topology-test/postgres:17-random";

/** What a stack file says, as far as it varies here. */
interface Wanted {
  readonly workMem: string;
  readonly maxConnections: number;
  readonly analysts: number;
  readonly nodes: number;
  readonly passwords: number;
  readonly image: string;
  readonly primary: "node-1" | "node-2";
}

/** Done to a standby, or to the primary, past the stack file. */
type ByHand = "ALTER SYSTEM" | "stop" | "drop a slot" | "pause replay";

type Step = { readonly change: Partial<Wanted> } | { readonly byHand: ByHand };

const changeOf = <K extends keyof Wanted>(key: K, ...values: Wanted[K][]): fc.Arbitrary<Step> =>
  fc.constantFrom(...values).map((value) => ({ change: { [key]: value } }));

const step: fc.Arbitrary<Step> = fc.oneof(
  changeOf("workMem", "4MB", "8MB", "16MB"),
  changeOf("maxConnections", 60, 100, 150),
  changeOf("analysts", 0, 1, 2),
  changeOf("nodes", 2, 3),
  changeOf("passwords", 1, 2, 3),
  changeOf("image", IMAGE, OTHER_IMAGE),
  changeOf("primary", "node-1", "node-2"),
  fc.constantFrom<ByHand>("ALTER SYSTEM", "stop", "drop a slot", "pause replay").map((byHand) => ({ byHand })),
);
const sequences = fc.sample(fc.array(step, { minLength: STEPS, maxLength: STEPS }), { numRuns: SEQUENCES, seed: SEED });

let wanted: Wanted = {
  workMem: "4MB",
  maxConnections: 100,
  analysts: 0,
  nodes: 2,
  passwords: 1,
  image: IMAGE,
  primary: "node-1",
};
let stack: TestStack;
let ports: number[];
let ledger: Ledger;
let impactDirectory: string;

function config(): StackConfig {
  const password = { version: wanted.passwords };
  return {
    image: wanted.image,
    primary: wanted.primary,
    nodes: names().map((name, index) => ({ name, port: ports[index] })),
    parameters: { work_mem: wanted.workMem, max_connections: wanted.maxConnections },
    passwords: { replication: password, operator: password },
    accessRules: Array.from({ length: wanted.analysts }, (_, index) => ({
      database: "app",
      user: `analyst_${index + 1}`,
      address: "samenet",
    })),
  };
}

const names = (): string[] => ["node-1", "node-2", "node-3"].slice(0, wanted.nodes);
const standby = (): string => (wanted.primary === "node-1" ? "node-2" : "node-1");

beforeAll(async () => {
  await derivedImage(OTHER_IMAGE, IMAGE, "ENV RANDOM_CHANGES=1");
  impactDirectory = await mkdtemp(join(tmpdir(), "pg-topology-impact-"));
  ports = await freePorts(3);
  stack = await TestStack.create(config());
  await stack.up();
  ledger = await Ledger.start((await stack.outputs<StackOutputs>()).readWriteUri);
});
afterAll(async () => {
  await ledger.stop();
  await stack.dispose();
  await removeImages(OTHER_IMAGE);
  await rm(impactDirectory, { recursive: true });
});

describe.each(sequences.map((steps, index) => ({ number: index + 1, steps })))("sequence $number", ({ steps }) => {
  test.each(steps.map((one) => ({ what: JSON.stringify(one), one })))(
    "$what: what preview announces is what happens",
    async ({ one }) => {
      await take(one);
      const before = await startsOf(stack, names());
      const announced = await preview();
      if ("byHand" in one) expect(announced.map(({ source }) => source)).toContain("drift");

      await stack.up();
      expect(disturbed(before, await startsOf(stack, names()))).toEqual(restarting(announced));
      await ledger.untilWritten();
      expect(await ledger.lost()).toEqual([]);
      expect(await preview("--expect-no-changes")).toEqual([]);
    },
  );
});

async function take(one: Step): Promise<void> {
  if ("byHand" in one) return meddle(one.byHand);
  wanted = { ...wanted, ...one.change };
  await stack.configure(config());
}

async function meddle(byHand: ByHand): Promise<void> {
  const container = stack.container(standby());
  switch (byHand) {
    case "ALTER SYSTEM":
      await psqlIn(stack.container(wanted.primary), "ALTER SYSTEM SET log_min_duration_statement = '1s'");
      return;
    case "stop":
      await docker("stop", container);
      return;
    case "drop a slot":
      await psqlIn(container, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots LIMIT 1");
      return;
    case "pause replay":
      await psqlIn(container, "SELECT pg_wal_replay_pause()");
  }
}

async function preview(...args: string[]): Promise<ImpactRecord[]> {
  const file = join(impactDirectory, "impact.jsonl");
  await rm(file, { force: true });
  const env = { ...stack.environment, [IMPACT_FILE_VARIABLE]: file };
  const { exitCode, output } = await stack.pulumi(["preview", ...args], { env });
  expect(exitCode, output).toBe(0);
  return parseRecords(await readFile(file, "utf8").catch(() => ""));
}

/** Of the nodes that stay. A switchover restarts the node that it begins with. */
function restarting(announced: readonly ImpactRecord[]): string[] {
  const nodes = announced.flatMap((finding) => {
    if (finding.level === "restart") return finding.nodes;
    return finding.level === "switchover" ? finding.nodes.slice(0, 1) : [];
  });
  return names().filter((name) => nodes.includes(name));
}
