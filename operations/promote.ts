import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { OperationError } from "./errors.ts";
import { isStandby } from "./sql.ts";

const PROMOTE_TIMEOUT_SECONDS = 60;
const POLL_MILLISECONDS = 5;
/**
 * A request that arrives while the WAL receiver is ending waits for a whole wal_retrieve_retry_interval: it is sent
 * again, which a server that has taken the first one ignores.
 */
const RESEND_MILLISECONDS = 40;

/**
 * Makes a standby the primary of a new timeline, and returns as soon as it takes writes.
 * @throws OperationError at the deadline. The server may still be promoted afterwards.
 */
export async function promote(client: pg.Client, name: string): Promise<void> {
  const deadline = performance.now() + PROMOTE_TIMEOUT_SECONDS * 1000;
  let sentAt = -Infinity;
  while (await isStandby(client)) {
    if (performance.now() > deadline) {
      throw new OperationError(
        `waited ${PROMOTE_TIMEOUT_SECONDS} s for ${name} to take writes after it was told to, in vain. Run the update again: it goes on from what is there.`,
      );
    }
    if (performance.now() - sentAt > RESEND_MILLISECONDS) {
      await requestPromotion(client);
      sentAt = performance.now();
    }
    await sleep(POLL_MILLISECONDS);
  }
}

/** A server that was promoted between the question and the request refuses it: that is success. */
async function requestPromotion(client: pg.Client): Promise<void> {
  try {
    await client.query("SELECT pg_promote(false)");
  } catch (error) {
    if (await isStandby(client)) throw error;
  }
}
