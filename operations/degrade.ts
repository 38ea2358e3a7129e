import { setTimeout as sleep } from "node:timers/promises";
import { escapeLiteral } from "pg";
import { untilAllIsConfirmed } from "./confirmation.ts";
import { noAnswer } from "./errors.ts";
import { observeServer } from "./observe.ts";
import type { ServerObservation } from "./observe.ts";
import { withOperator } from "./sql.ts";
import { runAsSuperuser } from "./superuser.ts";
import {
  SYNCHRONOUS_STANDBY_NAMES,
  missingStandbys,
  parseSynchronousStandbys,
  wantedNames,
  withoutMissing,
} from "./synchronous.ts";
import { primaryOf } from "./topology.ts";
import type { ShapedNode, TopologyShape } from "./topology.ts";

/** wait: commits wait for as long as it takes. degrade: they wait for those that are there, until all are again. */
export type WhenStandbyMissing = "wait" | "degrade";

export interface DegradeOptions {
  readonly shape: TopologyShape;
  readonly log: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Lets commits of the primary wait for those standbys only that stream. It is set by ALTER SYSTEM: the files go on saying
 * what shall be, every preview shows the difference, and a restart of the server does not make clients hang again.
 * @returns what commits wait for now; undefined: enough standbys stream, or the primary does not answer as one.
 */
export async function commitsGoOn({ shape, log }: DegradeOptions): Promise<string | undefined> {
  const primary = primaryOf(shape);
  if (primary === undefined) return undefined;
  const wanted = wantedNames(primary);
  const server = await whileMissing(shape, primary);
  const missing = server && missingStandbys(wanted, server.senders);
  if (server === undefined || missing === undefined) return undefined;
  const left = withoutMissing(wanted, server.senders);
  if (server.synchronous.names !== left) {
    await setNames(primary, `SET ${SYNCHRONOUS_STANDBY_NAMES} = ${escapeLiteral(left)}`);
    log(`${primary.name}: commits wait for ${inWords(left)} instead of ${wanted}`);
  }
  return `Of ${missing.names.join(", ")}, ${missing.present} can confirm a commit. Until the others stream again, commits wait for ${inWords(left)} (replication.synchronous.whenStandbyMissing: degrade).`;
}

/**
 * The same taken back, once as many stream as commits shall wait for. ALTER SYSTEM goes last, when those have everything
 * that was committed meanwhile: from then on the promise holds again for all of it, and the files alone tell of it.
 * @returns whether there was anything to take back.
 */
export async function waitForAllAgain({ shape, log, signal }: DegradeOptions): Promise<boolean> {
  const primary = primaryOf(shape);
  if (primary === undefined) return false;
  const names = wantedNames(primary);
  const server = await observedPrimary(shape, primary);
  const wanted = parseSynchronousStandbys(names);
  if (wanted === undefined || !server?.alteredSystem.includes(SYNCHRONOUS_STANDBY_NAMES)) return false;
  if (missingStandbys(names, server.senders) !== undefined) return false;
  if (server.synchronous.names !== names) await waitForUnpromised(primary);
  await untilAllIsConfirmed(shape, wanted, signal);
  await leaveToFiles(primary);
  log(`${primary.name}: commits wait for ${names}, and what was committed before is confirmed by them`);
  return true;
}

/**
 * Lets commits wait for those that they shall wait for, and says by ALTER SYSTEM that this is no promise yet: nobody has
 * confirmed what was committed before, and a failover would believe files that name them.
 */
export const waitForUnpromised = (primary: ShapedNode): Promise<void> =>
  setNames(primary, `SET ${SYNCHRONOUS_STANDBY_NAMES} = ${escapeLiteral(wantedNames(primary))}`);

/** Lets the files alone say whom commits wait for. */
export const leaveToFiles = (primary: ShapedNode): Promise<void> =>
  setNames(primary, `RESET ${SYNCHRONOUS_STANDBY_NAMES}`);

const inWords = (names: string): string => (names === "" ? "no standby" : names);

async function setNames(primary: ShapedNode, statement: string): Promise<void> {
  await runAsSuperuser(primary, `ALTER SYSTEM ${statement};\nSELECT pg_reload_conf() \\g /dev/null\n`);
}

/** A standby that only was restarted is back by then. */
const PATIENCE_MILLISECONDS = 5000;
const INTERVAL_MILLISECONDS = 200;

/** What the primary says at last, where standbys stay missing; undefined: enough stream, or it does not answer. */
async function whileMissing(shape: TopologyShape, primary: ShapedNode): Promise<ServerObservation | undefined> {
  const deadline = performance.now() + PATIENCE_MILLISECONDS;
  for (;;) {
    const server = await observedPrimary(shape, primary);
    if (server === undefined || missingStandbys(wantedNames(primary), server.senders) === undefined) return undefined;
    if (performance.now() > deadline) return server;
    await sleep(INTERVAL_MILLISECONDS);
  }
}

/** undefined: it does not answer, or it is not the primary. */
async function observedPrimary(shape: TopologyShape, primary: ShapedNode): Promise<ServerObservation | undefined> {
  const server = await withOperator(primary, shape.operator, observeServer).catch(noAnswer);
  return server?.role === "primary" ? server : undefined;
}
