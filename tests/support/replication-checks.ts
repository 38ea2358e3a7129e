import { expect } from "vitest";
import { objectWith, textLike } from "./matchers.ts";
import { rowsIn } from "./servers.ts";
import type { TestStack } from "./stack.ts";

/** Who streams from a node, as its own server tells it. */
export interface Sender {
  readonly node: string;
  readonly state: string;
  readonly syncState: string;
  readonly ssl: boolean;
  readonly tlsVersion: string | null;
  readonly slot: string | null;
}

export const sendersOn = (container: string): Promise<Sender[]> =>
  rowsIn<Sender>(
    container,
    `SELECT application_name AS node, state, sync_state AS "syncState", ssl, tls.version AS "tlsVersion",
            slot_name AS slot
     FROM pg_stat_replication AS sender
     JOIN pg_stat_ssl AS tls USING (pid)
     LEFT JOIN pg_replication_slots AS slot ON slot.active_pid = sender.pid AND slot.active
     ORDER BY application_name`,
  );

const TLS_1_2_OR_LATER = /^TLSv1\.[23]$/;

/** Waits until exactly these nodes stream from a node, each over TLS and from its own slot. */
export async function expectStreaming(stack: TestStack, upstream: string, standbys: readonly string[]): Promise<void> {
  const expected = standbys.map((node) =>
    objectWith({
      node,
      state: "streaming",
      ssl: true,
      tlsVersion: textLike(TLS_1_2_OR_LATER),
      slot: node.replaceAll("-", "_"),
    }),
  );
  await expect.poll(() => sendersOn(stack.container(upstream)), { timeout: 30_000, interval: 200 }).toEqual(expected);
}

export const slotsOn = async (container: string): Promise<string[]> =>
  (
    await rowsIn<{ name: string }>(container, "SELECT slot_name AS name FROM pg_replication_slots ORDER BY slot_name")
  ).map(({ name }) => name);
