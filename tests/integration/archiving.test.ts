import { afterAll, beforeAll, expect, test } from "vitest";
import { docker, logOf, shellIn } from "../support/containers.ts";
import { freePorts } from "../support/ports.ts";
import { expectStreaming } from "../support/replication-checks.ts";
import { psqlIn, rowsIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import { inWorld } from "../support/world.ts";

const ARCHIVE = "/var/lib/pg-topology/archive";

let stack: TestStack;
let primary: string;
let standby: string;

beforeAll(async () => {
  const [first, second] = await freePorts(2);
  stack = await TestStack.create({
    primary: "node-1",
    nodes: [
      { name: "node-1", port: first },
      { name: "node-2", port: second },
    ],
    archiving: { enabled: true },
    // So that a standby that is away for some segments finds its WAL in the archive alone.
    parameters: { max_slot_wal_keep_size: "16MB", wal_keep_size: "0", min_wal_size: "32MB" },
  });
  await stack.up();
  [primary, standby] = [stack.container("node-1"), stack.container("node-2")];
  await psqlIn(primary, "CREATE TABLE events (name text)");
});
afterAll(() => stack.dispose());

const archiveVolume = (): string => stack.container("archive");

const archived = async (): Promise<string[]> =>
  (await shellIn(primary, `ls ${ARCHIVE}`)).split("\n").filter((name) => /^[0-9A-F]{24}$/.test(name));

/** Fills a segment with something, and waits until it is in the archive. */
async function archiveSegment(): Promise<string> {
  await psqlIn(primary, "INSERT INTO events VALUES ('something')");
  const segment = await psqlIn(primary, "SELECT pg_walfile_name(pg_switch_wal())");
  await expect.poll(archived, { timeout: 30_000 }).toContain(segment);
  return segment;
}

/** Both nodes write down how far they are; for the standby that is what it needs of the archive from then on. */
async function checkpointEverywhere(): Promise<void> {
  await psqlIn(primary, "CHECKPOINT");
  const written = await psqlIn(primary, "SELECT pg_current_wal_insert_lsn()");
  const hasReplayed = `SELECT pg_last_wal_replay_lsn() >= '${written}'`;
  await expect.poll(() => psqlIn(standby, hasReplayed), { timeout: 30_000 }).toBe("t");
  await psqlIn(standby, "CHECKPOINT");
}

const need = (): Promise<string> => shellIn(primary, `cat ${ARCHIVE}/needs/node-2`);

test("every segment arrives in the archive as it was written", async () => {
  const segment = await archiveSegment();
  const data = await psqlIn(primary, "SHOW data_directory");
  await shellIn(primary, `cmp ${data}/pg_wal/${segment} ${ARCHIVE}/${segment}`);
  expect(await archived()).toContain("000000010000000000000001");
  expect(await rowsIn(primary, "SELECT failed_count FROM pg_stat_archiver")).toEqual([{ failed_count: 0 }]);
});

test("nothing is removed before every standby has said what it needs", async () => {
  const before = await archived();
  await archiveSegment();
  expect(await archived()).toEqual(expect.arrayContaining(before));
});

const archive = (source: string, name: string): Promise<string> =>
  docker("exec", "-u", "postgres", primary, "/etc/pg-topology/archive-wal", source, name);

test("a segment that is archived is never overwritten, and archiving the same again is a success", async () => {
  await shellIn(primary, "echo first > /tmp/first; echo second > /tmp/second; chmod 644 /tmp/first /tmp/second");
  await archive("/tmp/first", "once.history");
  await archive("/tmp/first", "once.history");
  await expect(archive("/tmp/second", "once.history")).rejects.toThrow(
    "exists with other contents; it is not overwritten",
  );
  expect(await shellIn(primary, `cat ${ARCHIVE}/once.history`)).toBe("first");
});

test("an archiver that was killed in the middle does no harm and leaves nothing behind", async () => {
  const archiver = await archiverOnASlowDisk();
  const half = `cat ${ARCHIVE}/.killed.history.*`;
  await expect.poll(() => shellIn(primary, half).catch(String), { timeout: 15_000 }).toBe("half");
  await docker("kill", archiver);
  expect(await shellIn(primary, `ls ${ARCHIVE}`)).not.toContain("killed.history");

  await archive("/tmp/first", "killed.history");
  expect(await shellIn(primary, `cat ${ARCHIVE}/killed.history`)).toBe("first");
  expect(await shellIn(primary, `ls -A ${ARCHIVE} | grep '^[.]' || true`)).toBe("");
});

/** node-1's archive command in a container of its own, reading a file of which the second half does not come. */
async function archiverOnASlowDisk(): Promise<string> {
  const name = `${primary}-archiver`;
  const volumes = [`${primary}-configuration:/etc/pg-topology:ro`, `${archiveVolume()}:${ARCHIVE}`];
  const labels = Object.entries(stack.labels).map(([key, value]) => `--label=${key}=${value}`);
  const script =
    "mkfifo /tmp/slow; (printf half; sleep 300) > /tmp/slow & /etc/pg-topology/archive-wal /tmp/slow killed.history";
  const options = [
    "--rm",
    "--detach",
    "--user=postgres",
    "--network=none",
    ...volumes.map((volume) => `--volume=${volume}`),
  ];
  await docker("run", ...options, ...labels, `--name=${name}`, "--entrypoint=sh", "postgres:17", "-c", script);
  return name;
}

test("what the standby needs no more is removed, but not what a base backup in the archive needs", async () => {
  await archiveSegment();
  await checkpointEverywhere();
  const kept = await archiveSegment();
  expect((await archived())[0]).toBe(await need());

  const label = `START WAL LOCATION: 0/0 (file ${kept})`;
  await shellIn(primary, `mkdir -p ${ARCHIVE}/base/monday && echo '${label}' > ${ARCHIVE}/base/monday/backup_label`);
  await archiveSegment();
  await checkpointEverywhere();
  expect((await need()) > kept).toBe(true);
  await archiveSegment();
  expect((await archived())[0]).toBe(kept);

  await shellIn(primary, `rm -r ${ARCHIVE}/base/monday`);
  await archiveSegment();
  expect((await archived())[0]).toBe(await need());
});

inWorld(() => {
  test("a standby that fell behind its slot gets what is missing from the archive", async () => {
    await docker("stop", standby);
    for (let segment = 0; segment < 4; segment++) await archiveSegment();
    await psqlIn(primary, "INSERT INTO events VALUES ('while it was away'); CHECKPOINT");
    const status = "SELECT wal_status FROM pg_replication_slots WHERE slot_name = 'node_2'";
    await expect.poll(() => psqlIn(primary, status), { timeout: 30_000 }).toBe("lost");

    await stack.up();
    await expectStreaming(stack, "node-1", ["node-2"]);
    expect(await psqlIn(primary, status)).not.toBe("lost");
    expect(await logOf(standby)).toMatch(/restored log file "[0-9A-F]{24}" from archive/);
    const read = "SELECT count(*) FROM events WHERE name = 'while it was away'";
    await expect.poll(() => psqlIn(standby, read), { timeout: 30_000 }).toBe("1");
    await stack.expectNoChanges();
  });
});
