import { NoWritableNodeError } from "../../operations/superuser.ts";
import type { Context } from "../handler.ts";

/**
 * Does work on the primary. Without one it is left to the next update: what brings a primary back, a failover too, comes
 * later in this one.
 * @param waiting the work as it completes "nobody takes writes: ... by the next update".
 * @returns whether it is done.
 */
export async function unlessNobodyWrites(
  { warn }: Pick<Context, "warn">,
  waiting: string,
  work: () => Promise<void>,
): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof NoWritableNodeError)) throw error;
    warn(`nobody takes writes: ${waiting} by the next update`);
    return false;
  }
}
