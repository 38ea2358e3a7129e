/** Of the client that writes all the time: a write gap is measured no finer than this. */
export const LEDGER_PAUSE_MILLISECONDS = 2;

/** The middle of several measurements. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined) throw new Error("a median of nothing");
  if (sorted.length % 2 === 1) return upper;
  return ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** The smallest of the measurements that at least so many percent of them do not exceed. */
export function percentile(values: readonly number[], percent: number): number {
  const found = values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil((values.length * percent) / 100) - 1)];
  if (found === undefined) throw new Error("a percentile of nothing");
  return found;
}

/** Seconds that something took. */
export const seconds = async (work: () => Promise<unknown>): Promise<number> => (await timed(work)).seconds;

/** What something gave, and the seconds that it took. */
export async function timed<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly seconds: number }> {
  const startedAt = performance.now();
  const result = await work();
  return { result, seconds: (performance.now() - startedAt) / 1000 };
}
