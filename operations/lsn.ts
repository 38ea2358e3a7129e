/** A position in the write-ahead log, in bytes from its beginning (PostgreSQL, "pg_lsn Type"). */
export type Lsn = bigint;

/** @throws RangeError unless the text is one as PostgreSQL prints it, for example "16/B374D848". */
export function parseLsn(text: string): Lsn {
  const [, high, low] = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(text) ?? [];
  if (high === undefined || low === undefined) throw new RangeError(`expected a WAL position, got ${text}`);
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

export function formatLsn(lsn: Lsn): string {
  const hexadecimal = (part: bigint): string => part.toString(16).toUpperCase();
  return `${hexadecimal(lsn >> 32n)}/${hexadecimal(lsn & 0xffff_ffffn)}`;
}

/** How many bytes `position` is behind `end`; 0 where it is not behind. */
export function bytesBehind(position: Lsn, end: Lsn): number {
  return position >= end ? 0 : Number(end - position);
}
