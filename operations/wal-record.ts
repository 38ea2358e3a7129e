import { parseLsn } from "./lsn.ts";
import type { Lsn } from "./lsn.ts";

/** Sizes that the write-ahead log of a cluster is laid out by. */
export interface WalLayout {
  readonly segmentBytes: bigint;
  /** Of a page: the "WAL block size". */
  readonly blockBytes: bigint;
}

/** Every page begins with a header, and the first of a segment with a longer one (src/include/access/xlog_internal.h). */
const PAGE_HEADER_BYTES = 24n;
const SEGMENT_HEADER_BYTES = 40n;
const ALIGNMENT_BYTES = 8n;

/**
 * Where a record ends that pg_waldump has listed: where the next one begins, but for the header of a page. pg_waldump
 * itself says only where it begins. undefined: the text is no such line.
 */
export function recordEnd(line: string, layout: WalLayout): Lsn | undefined {
  const [, manager, bytes, begin] =
    /^rmgr: (\S+) +len \(rec\/tot\): +\d+\/ *(\d+), tx: +\d+, lsn: ([0-9A-F]+\/[0-9A-F]+), prev /.exec(line) ?? [];
  if (bytes === undefined || begin === undefined) return undefined;
  const end = laidOut(parseLsn(begin), BigInt(bytes), layout);
  const isSwitch = manager === "XLOG" && / desc: SWITCH\b/.test(line);
  // The rest of the segment belongs to the record that leaves it.
  return isSwitch ? roundedUp(end, layout.segmentBytes) : end;
}

function laidOut(begin: Lsn, bytes: bigint, { segmentBytes, blockBytes }: WalLayout): Lsn {
  let position = begin;
  let left = bytes;
  for (;;) {
    const pageEnd = position - (position % blockBytes) + blockBytes;
    if (left <= pageEnd - position) return roundedUp(position + left, ALIGNMENT_BYTES);
    left -= pageEnd - position;
    position = pageEnd + (pageEnd % segmentBytes === 0n ? SEGMENT_HEADER_BYTES : PAGE_HEADER_BYTES);
  }
}

const roundedUp = (position: bigint, step: bigint): bigint => ((position + step - 1n) / step) * step;
