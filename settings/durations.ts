const MILLISECONDS: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1_000],
  ["min", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/** The largest delay that PostgreSQL takes, in milliseconds: almost 25 days. */
const LONGEST_DELAY_MS = 2_147_483_647;

/** A span of time with its unit, for example 12h or 1d, in seconds; NaN where it is none. */
export function spanSeconds(text: string): number {
  const [, amount, unit = ""] = /^([1-9]\d{0,3})(min|h|d)$/.exec(text) ?? [];
  return (Number(amount) * (MILLISECONDS.get(unit) ?? Number.NaN)) / 1000;
}

/** Whether a text is a delay as PostgreSQL writes it, with its unit, of at least one millisecond. */
export function isApplyDelay(text: string): boolean {
  const [, amount, unit = ""] = /^(\d{1,10}(?:\.\d{1,6})?) ?(ms|s|min|h|d)$/.exec(text) ?? [];
  const milliseconds = Math.round(Number(amount) * (MILLISECONDS.get(unit) ?? Number.NaN));
  return milliseconds >= 1 && milliseconds <= LONGEST_DELAY_MS;
}
