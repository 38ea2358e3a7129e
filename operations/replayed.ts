import { escapeLiteral } from "pg";
import { OperationError, messageOf } from "./errors.ts";
import type { Node } from "./node.ts";
import { runAsSuperuser } from "./superuser.ts";
import { waitUntil } from "./wait-until.ts";

const TIMEOUT_SECONDS = 10;
const INTERVAL_MILLISECONDS = 50;

/**
 * Waits until a standby has replayed a WAL position: what was written before holds there too.
 * @returns undefined, or why it does not hold yet: the standby does not answer, is late on purpose, or lags.
 */
export async function unlessReplayed(node: Node, walLsn: string): Promise<string | undefined> {
  const question = `SELECT current_setting('recovery_min_apply_delay'), NOT pg_is_in_recovery() OR
    pg_last_wal_replay_lsn() >= ${escapeLiteral(walLsn)};\n`;
  try {
    return await waitUntil({
      condition: `${node.name} to replay everything up to ${walLsn}`,
      timeoutSeconds: TIMEOUT_SECONDS,
      intervalMilliseconds: INTERVAL_MILLISECONDS,
      probe: async () => {
        const [delay = "0", done] = (await runAsSuperuser(node, question)).split("\t");
        if (done === "t") return { reason: undefined };
        return delay === "0" ? undefined : { reason: `${node.name} applies changes ${delay} late` };
      },
      seen: () => "it is still behind",
    }).then(({ reason }) => reason);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return messageOf(error);
  }
}
