import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import type Docker from "dockerode";
import tar from "tar-stream";
import { unlessMissing } from "./engine.ts";
import type { Lsn } from "./lsn.ts";

/** What a data directory says of its server, running or not (PostgreSQL, src/include/catalog/pg_control.h). */
export interface PgControl {
  readonly systemIdentifier: string;
  readonly state: DatabaseState;
  /** When pg_control was last written, in seconds since 1970. */
  readonly writtenAtSeconds: number;
  /** Of the last checkpoint: after a clean stop, of the very last record but for nothing. */
  readonly checkpointLsn: Lsn;
  /** Where replay would begin. */
  readonly redoLsn: Lsn;
  readonly timeline: number;
}

/** In the order of `enum DBState`. */
const STATES = [
  "starting up",
  "shut down",
  "shut down in recovery",
  "shutting down",
  "in crash recovery",
  "in archive recovery",
  "in production",
] as const;

export type DatabaseState = (typeof STATES)[number];

/** The fields up to here have kept their places since PostgreSQL 9.5. */
const NEEDED_BYTES = 52;

function parsePgControl(file: Buffer): PgControl {
  if (file.length < NEEDED_BYTES) throw new RangeError(`expected a pg_control, got ${file.length} bytes`);
  const state = STATES[file.readUInt32LE(16)];
  if (state === undefined) throw new RangeError(`expected a pg_control, got state ${file.readUInt32LE(16)}`);
  return {
    systemIdentifier: file.readBigUInt64LE(0).toString(),
    state,
    writtenAtSeconds: Number(file.readBigInt64LE(24)),
    checkpointLsn: file.readBigUInt64LE(32),
    redoLsn: file.readBigUInt64LE(40),
    timeline: file.readUInt32LE(48),
  };
}

/** undefined: no container, or no data in it. The container need not run. */
export async function readPgControl(
  docker: Docker,
  container: string,
  dataDirectory: string,
): Promise<PgControl | undefined> {
  const path = `${dataDirectory}/global/pg_control`;
  const archive = await unlessMissing(docker.getContainer(container).getArchive({ path }));
  if (archive === undefined) return undefined;
  const extract = tar.extract();
  const [content] = await Promise.all([onlyFile(extract), pipeline(archive, extract)]);
  return content === undefined ? undefined : parsePgControl(content);
}

async function onlyFile(extract: tar.Extract): Promise<Buffer | undefined> {
  let content: Buffer | undefined;
  for await (const entry of extract) content = await buffer(entry);
  return content;
}
