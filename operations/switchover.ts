import type pg from "pg";
import { writeContainerFile } from "./container-file.ts";
import { runDataJob } from "./data-job.ts";
import { engineOf, statusCode } from "./engine.ts";
import { OperationError, messageOf } from "./errors.ts";
import { formatLsn } from "./lsn.ts";
import type { Lsn } from "./lsn.ts";
import { withFilesOf } from "./node-data.ts";
import type { Node } from "./node.ts";
import { readPgControl } from "./pg-control.ts";
import { promote } from "./promote.ts";
import type { RoleEnvironment, Switchover } from "./role-environment.ts";
import { startServer } from "./server.ts";
import { reserveSlots } from "./slots.ts";
import { one, withOperator } from "./sql.ts";
import type { OperatorCredentials } from "./sql.ts";
import { runAsSuperuser } from "./superuser.ts";
import { waitUntil } from "./wait-until.ts";

export interface SwitchoverOrder {
  readonly from: Node;
  readonly to: Node;
  /** Slots of the nodes that will stream from the new primary, the old one among them. */
  readonly slots: readonly string[];
  readonly operator: OperatorCredentials;
  readonly environment: RoleEnvironment;
  readonly log: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

const CATCH_UP_TIMEOUT_SECONDS = 60;
/** wal_sender_timeout is 10 s: so long a standby that hangs can hold up a clean stop. */
const STOP_TIMEOUT_SECONDS = 60;
const REPLAY_TIMEOUT_SECONDS = 30;

/**
 * Changes the primary without losing a row: the old one is stopped cleanly, and the other is promoted only once it has
 * replayed the very last record that the old one wrote, its shutdown checkpoint. Both containers stay. The old primary
 * is held as a standby from before its stop on, so that whatever happens it does not come back as a primary by itself.
 * @throws OperationError when it fails before the promotion: the old primary was started again as what it was.
 */
export async function switchOver(order: SwitchoverOrder): Promise<Switchover> {
  const { from, to, operator } = order;
  return withOperator(to, operator, async (client) => {
    await reserveSlots(client, order.slots);
    // What a clean stop would otherwise write while nobody can.
    await runAsSuperuser(from, "CHECKPOINT;\n");
    await untilReplayed(client, to, await writtenLsn(order), CATCH_UP_TIMEOUT_SECONDS, order.signal);
    order.log(`${from.name} is stopped cleanly, and ${to.name} takes its place`);
    const stoppedAt = await stopWithEverythingSent(order, client);
    await promote(client, to.name);
    const writeGapMs = Math.round(performance.now() - stoppedAt);
    return { from: from.name, to: to.name, writeGapMs, lostBytes: 0, at: new Date().toISOString() };
  });
}

async function writtenLsn({ from, operator }: SwitchoverOrder): Promise<string> {
  const query = "SELECT pg_current_wal_lsn()::text AS lsn";
  return (await withOperator(from, operator, (client) => one<{ lsn: string }>(client, query))).lsn;
}

/**
 * After this the old primary is down, and the other has all that it ever wrote.
 * @returns when it took writes for the last time, by this process's clock, in milliseconds.
 */
async function stopWithEverythingSent(order: SwitchoverOrder, client: pg.Client): Promise<number> {
  const { from, to, environment } = order;
  try {
    await holdAsStandby(environment, from);
    const stoppedAt = performance.now();
    await requestCleanStop(from);
    const shutdownCheckpoint = await untilShutDown(order);
    // A position past the beginning of the record is one past its end: records are replayed whole.
    await untilReplayed(client, to, formatLsn(shutdownCheckpoint + 1n), REPLAY_TIMEOUT_SECONDS, undefined);
    return stoppedAt;
  } catch (error) {
    await startAgain(order);
    throw new OperationError(`the switchover was called off, and ${from.name} was started again: ${messageOf(error)}`);
  }
}

/** The file is read when a server starts: one that runs does not notice. */
export async function holdAsStandby(environment: RoleEnvironment, node: Node): Promise<void> {
  const path = `${environment.dataDirectory}/standby.signal`;
  await withFilesOf(environment, node, (container) =>
    writeContainerFile(engineOf(node), container, path, "", environment.uid),
  );
}

/**
 * The image's own stop signal, a fast shutdown: it ends clients, writes a checkpoint and sends it to the standbys. As it
 * is the container's stop signal, the restart policy leaves the container stopped.
 */
async function requestCleanStop(node: Node): Promise<void> {
  try {
    await engineOf(node).getContainer(node.container).kill({ signal: "SIGINT" });
  } catch (error) {
    if (statusCode(error) !== 409) throw error;
  }
}

/** @returns the position of the checkpoint record that a clean stop ends with. */
async function untilShutDown({ from, environment }: SwitchoverOrder): Promise<Lsn> {
  let seen = "no pg_control";
  return waitUntil({
    condition: `${from.name} to shut down cleanly`,
    timeoutSeconds: STOP_TIMEOUT_SECONDS,
    intervalMilliseconds: 5,
    probe: async () => {
      const control = await readPgControl(engineOf(from), from.container, environment.dataDirectory);
      seen = control?.state ?? seen;
      return control?.state === "shut down" ? control.checkpointLsn : undefined;
    },
    seen: () => `its pg_control says "${seen}"`,
  });
}

async function untilReplayed(
  client: pg.Client,
  node: Node,
  lsn: string,
  timeoutSeconds: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  let seen = "nothing";
  await waitUntil({
    condition: `${node.name} to replay everything up to ${lsn}`,
    timeoutSeconds,
    signal,
    intervalMilliseconds: 5,
    probe: async () => {
      const { lsn: replayed, done } = await one<{ lsn: string; done: boolean }>(
        client,
        "SELECT pg_last_wal_replay_lsn()::text AS lsn, pg_last_wal_replay_lsn() >= $1::pg_lsn AS done",
        [lsn],
      );
      seen = replayed;
      return done || undefined;
    },
    seen: () => `it is at ${seen}`,
  });
}

/** As what it was: the other has not been promoted. */
async function startAgain({ from, environment }: SwitchoverOrder): Promise<void> {
  await waitUntilStopped(from);
  await runDataJob(environment, from.name, "release");
  await startServer(from);
}

/** A server that was told to stop may still be at it: only then can its container be started. */
export async function waitUntilStopped(node: Node): Promise<void> {
  await engineOf(node)
    .getContainer(node.container)
    .stop({ t: STOP_TIMEOUT_SECONDS })
    .catch((error: unknown) => {
      if (statusCode(error) !== 304) throw error;
    });
}
