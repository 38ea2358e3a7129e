import { randomBytes } from "node:crypto";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { render } from "../../config-templates/render.ts";
import { walEndOf } from "../../operations/data-job.ts";
import type { WalEnd } from "../../operations/data-job.ts";
import { formatLsn } from "../../operations/lsn.ts";
import { recordEnd } from "../../operations/wal-record.ts";
import { layoutOf } from "../../plan/layout.ts";
import { docker } from "../support/containers.ts";

const layout = layoutOf(17);
const data = layout.dataDirectory;
const script = render("rejoin.sh", {
  layout,
  primary: "node-1",
  conninfo: "",
  configFile: [],
  slot: "",
  compression: [],
});
const container = `pg-topology-wal-end-${randomBytes(3).toString("hex")}`;

/** As postgres, in a container in which nothing else runs. */
async function bash(command: string): Promise<string> {
  const path = "PATH=/usr/lib/postgresql/17/bin:/usr/local/bin:/usr/bin:/bin";
  const { stdout } = await execa("docker", ["exec", "-i", "-u", "postgres", "-e", path, container, "bash", "-e"], {
    input: command,
  });
  return stdout;
}

async function walEnd(): Promise<WalEnd | undefined> {
  const { stdout } = await execa("docker", ["exec", container, "bash", "-c", script, "bash", "wal-end"]);
  return walEndOf(stdout);
}

/** Where the server's own log ends. It is killed then: nothing comes after it. */
const killAfter = (sql: string): Promise<string> =>
  bash(`pg_ctl -D ${data} -w -l /tmp/log start > /dev/null
    psql -XAtq -v ON_ERROR_STOP=1 postgres > /tmp/answers <<'SQL'
${sql};
SELECT pg_current_wal_flush_lsn();
SQL
    pg_ctl -D ${data} -m immediate stop > /dev/null
    tail -n 1 /tmp/answers`);

/** Messages of such sizes that the last one ends at a multiple of so many bytes. */
const upTo = (bytes: number): string => `DO $$
  DECLARE room bigint;
  BEGIN
    LOOP
      room := ${bytes} - (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint % ${bytes};
      -- With nothing in it a message takes 56 bytes or a little more.
      PERFORM pg_logical_emit_message(false, '',
        repeat('x', CASE WHEN room > 16384 THEN 4000 WHEN room > 400 THEN 200 ELSE greatest(room - 56, 0) END::int),
        room <= 400);
      EXIT WHEN room <= 400;
    END LOOP;
  END $$`;

beforeAll(async () => {
  await docker(
    "run",
    "--detach",
    "--network",
    "none",
    "--name",
    container,
    "--entrypoint",
    "sleep",
    "postgres:17",
    "infinity",
  );
  await docker("exec", container, "install", "-d", "-o", "postgres", "-m", "0700", data);
  await bash(`initdb --no-sync -D ${data} > /dev/null
    echo "autovacuum = off
    bgwriter_delay = 10s
    checkpoint_timeout = 1h
    wal_level = replica" >> ${data}/postgresql.conf`);
});
afterAll(() => docker("rm", "--force", "--volumes", container));

describe("the log of a killed server ends where it says itself", () => {
  test.each([
    ["after a commit", "CREATE TABLE a AS SELECT generate_series(1, 1000) AS n"],
    ["after a record of many pages", "SELECT pg_logical_emit_message(false, 'x', repeat('x', 100000), true)"],
    ["at the end of a page, or right behind it", upTo(8192)],
    ["after a switch of its file", "CREATE TABLE b (); SELECT pg_switch_wal()"],
    ["in the file after that", "CREATE TABLE c ()"],
    ["at the end of a file, or right behind it", upTo(16 * 1024 * 1024)],
    ["after files that are used again", "CREATE TABLE d (); SELECT pg_switch_wal(); CHECKPOINT; CREATE TABLE e ()"],
  ])("%s", async (_where, sql) => {
    const end = await killAfter(sql);
    const found = await walEnd();
    expect(found?.timeline).toBe(1);
    expect(formatLsn(found?.lsn ?? 0n)).toBe(end);
  });

  test("also where old bytes that look like a record come after it", async () => {
    const end = await killAfter("CREATE TABLE f (); SELECT pg_logical_emit_message(false, 'x', 'an old record', true)");
    const file = `${data}/pg_wal/$(ls ${data}/pg_wal | grep -E '^0{7}1[0-9A-F]{16}$' | sort | tail -n 1)`;
    const spoiled = await bash(`
      file=$(pg_waldump --path ${data}/pg_wal --start "$(pg_controldata -D ${data} | sed -n "s/^Latest checkpoint's REDO location: *//p")" 2> /dev/null | tail -n 1)
      begin=$(sed -E 's/.*lsn: ([0-9A-F]+)\\/([0-9A-F]+),.*/\\2/' <<< "$file")
      name=$(printf '%s/pg_wal/00000001%08X%08X' ${data} $((16#${end.split("/")[0] ?? ""})) $((16#${end.split("/")[1] ?? ""} >> 24)))
      from=$((16#$begin & 0xffffff)); to=$((16#${end.split("/")[1] ?? ""} & 0xffffff))
      dd if="$name" of="$name" bs=1 skip=$from seek=$to count=$((to - from)) conv=notrunc status=none
      pg_waldump --path ${data}/pg_wal --start 0/$begin 2>&1 | tail -n 1`);
    expect(file).not.toBe("");
    expect(spoiled).toContain("incorrect prev-link");
    expect(formatLsn((await walEnd())?.lsn ?? 0n)).toBe(end);
  });
});

test("every record that pg_waldump lists ends where the next begins, but for the headers of pages", async () => {
  await killAfter(
    "CREATE TABLE g AS SELECT n, repeat('x', n % 3000) FROM generate_series(1, 5000) AS n; SELECT pg_switch_wal(); CREATE TABLE h ()",
  );
  const listed = await bash(
    `pg_waldump --path ${data}/pg_wal --start "$(pg_controldata -D ${data} | sed -n "s/^Latest checkpoint's REDO location: *//p")" 2> /dev/null || true`,
  );
  const lines = listed.split("\n").filter((line) => line.startsWith("rmgr"));
  const begins = lines.map((line) => BigInt(`0x${/lsn: 0\/([0-9A-F]+)/.exec(line)?.[1] ?? ""}`));
  const segmentBytes = 0x1000000n;
  const wrong = lines.slice(0, -1).filter((line, index) => {
    const end = recordEnd(line, { segmentBytes, blockBytes: 8192n }) ?? 0n;
    const header = end % segmentBytes === 0n ? 40n : end % 8192n === 0n ? 24n : 0n;
    return end + header !== begins[index + 1];
  });
  expect(lines.length).toBeGreaterThan(5000);
  expect(wrong).toEqual([]);
});
