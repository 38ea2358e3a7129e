import { expect, test } from "vitest";
import { synchronousFailovers } from "../../bench/roles.ts";

// What npm run bench -- failover does a hundred times.
const ROUNDS = 5;
const TIMEOUT_MILLISECONDS = 10 * 60_000;

test(
  "primaries are killed one after the other under a quorum: no acknowledged row is lost, and never do two take writes",
  async () => {
    const { changes, watched } = await synchronousFailovers(ROUNDS, "postgres:17");
    expect(changes.map(({ lostRows }) => lostRows)).toEqual(Array<number>(ROUNDS).fill(0));
    expect(watched.moments).toBeGreaterThan(100);
    expect(watched.withTwoWritableNodes).toBe(0);
    // Each killed one has its data, and follows with it.
    const ways = changes.map(({ rejoinedBy }) => rejoinedBy);
    expect(ways.filter((way) => way !== "streaming" && way !== "pg_rewind")).toEqual([]);
  },
  TIMEOUT_MILLISECONDS,
);
