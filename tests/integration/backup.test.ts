import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DrillReport } from "../../operations/restore-drill.ts";
import { runCommand } from "../support/commands.ts";
import { docker, shellIn } from "../support/containers.ts";
import { signalTree } from "../support/interruptions.ts";
import { freePorts } from "../support/ports.ts";
import { PROJECT_DIRECTORY } from "../support/project.ts";
import { seededRandom } from "../support/random.ts";
import { psqlIn, rowsIn } from "../support/servers.ts";
import { TestStack } from "../support/stack.ts";
import type { CommandResult, StackConfig } from "../support/stack.ts";
import { statusOf } from "../support/status.ts";
import { inWorld } from "../support/world.ts";

/** How many moments are restored, and which. */
const COUNT = Number(process.env["PG_TOPOLOGY_POINTS_IN_TIME"] ?? 2);
const SEED = Number(process.env["PG_TOPOLOGY_SEED"] ?? 1);

/** Of the ledger, on each of two timelines. */
const ROWS = 20;
const random = seededRandom(SEED);
const POINTS = Array.from({ length: COUNT }, (_, point) => Math.floor(random() * ROWS) + (point % 2) * ROWS);

let stack: TestStack;
let primary: string;
let barman: string;
let config: StackConfig;

beforeAll(async () => {
  const [first, second] = await freePorts(2);
  config = {
    primary: "node-1",
    nodes: [
      { name: "node-1", port: first },
      { name: "node-2", port: second },
    ],
    replication: { synchronous: { mode: "priority", count: 1, includeBackup: true } },
    backup: { enabled: true },
    drill: { enabled: true, assertions: ["SELECT current_database() = 'app'"] },
    objectives: { rpoSeconds: 60, rtoSeconds: 300, maxReplayLagBytes: 16_777_216 },
  };
  stack = await TestStack.create(config);
  await stack.up();
  [primary, barman] = [stack.container("node-1"), stack.container("barman")];
});
afterAll(() => stack.dispose());

const run = (name: "backup" | "restore", ...args: string[]): Promise<CommandResult> => runCommand(stack, name, ...args);
const backup = (...args: string[]): Promise<CommandResult> => run("backup", ...args);

interface ListedBackup {
  readonly backup_id: string;
  readonly status: string;
}

async function backups(): Promise<readonly ListedBackup[]> {
  const json = await shellIn(barman, "barman -f json list-backups $(barman list-servers --minimal)");
  return Object.values(JSON.parse(json) as Record<string, readonly ListedBackup[]>).flat();
}

async function drillLeftovers(): Promise<string> {
  const filter = ["--quiet", "--filter", `name=${barman}.drill`];
  return (await docker("ps", "--all", ...filter)) + (await docker("volume", "ls", ...filter));
}

test("an update ends with a base backup that can be restored, and nothing is left to do", async () => {
  expect((await backups()).map(({ status }) => status)).toEqual(["DONE"]);
  expect(await backup("check")).toMatchObject({ exitCode: 0 });
  await stack.expectNoChanges("--refresh");
});

test("the first backup was restored, and what came back was checked and measured", async () => {
  const { lastDrill } = await stack.outputs<{ lastDrill: DrillReport }>();
  const [only] = await backups();
  expect(lastDrill).toMatchObject({
    backup: only?.backup_id,
    checks: ["check-backup", "verify-backup", "heartbeats", "pg_amcheck", "SELECT current_database() = 'app'"],
  });
  expect(lastDrill.rtoSeconds).toBeGreaterThan(0);
  expect(lastDrill.rpoSeconds).toBeLessThan(5);
  expect(await drillLeftovers()).toBe("");
});

test("the status tells of the backups, and of a backup server that is paused", async () => {
  const told = async () => {
    const { backup: seen, condition, problems } = await statusOf(stack);
    return { condition, kinds: problems.map(({ kind }) => kind), restorable: seen?.restorable, state: seen?.state };
  };
  const well = { condition: "healthy", kinds: [], restorable: 1, state: "running" };
  // Barman may take longer to answer than a status waits.
  await expect.poll(told, { timeout: 60_000 }).toEqual(well);
  await docker("pause", barman);
  const paused = await told();
  await docker("unpause", barman);
  const degraded = { condition: "degraded", kinds: ["backup-server-stopped"], restorable: null, state: "paused" };
  expect(paused).toEqual(degraded);
});

test("Barman streams over TLS from its own slot, with no more rights than it needs", async () => {
  const [sender] = await rowsIn(
    primary,
    `SELECT usename, slot_name, ssl FROM pg_stat_replication JOIN pg_stat_ssl USING (pid)
     JOIN pg_replication_slots ON active_pid = pid WHERE application_name = 'barman_receive_wal'`,
  );
  expect(sender).toEqual({ usename: "streaming_barman", slot_name: "barman", ssl: true });
  const roles = await rowsIn(primary, "SELECT rolname, rolsuper FROM pg_roles WHERE rolname ~ 'barman' ORDER BY 1");
  expect(roles).toEqual([
    { rolname: "barman", rolsuper: false },
    { rolname: "streaming_barman", rolsuper: false },
  ]);
  const readsTables = "SELECT has_table_privilege('barman', 'pg_authid', 'SELECT')";
  expect(await psqlIn(primary, readsTables)).toBe("f");
});

test("a backup is taken, kept and removed by hand, but never below the minimum redundancy", async () => {
  const [first] = await backups();
  const id = first?.backup_id ?? "";
  // The first one was drilled.
  expect((await backup("list")).output).toMatch(/KEEP:FULL/);
  expect((await backup("keep", "--release", id)).exitCode).toBe(0);
  const refused = await backup("delete", id);
  expect(refused.exitCode).toBe(1);
  expect(refused.output).toContain("due to minimum redundancy requirements");

  expect((await backup("now")).output).toMatch(/^\d{8}T\d{6} can be restored/);
  expect((await backup("keep", id)).exitCode).toBe(0);
  expect((await backup("list")).output).toMatch(/KEEP:FULL/);
  const kept = await backup("delete", id);
  expect(kept.output).toContain("keep request");
  expect(kept.output).not.toContain("BackupInfo");
  expect((await backup("keep", "--release", id)).exitCode).toBe(0);
  expect((await backup("delete", id)).exitCode).toBe(0);
  expect((await backups()).map(({ status }) => status)).toEqual(["DONE"]);
  expect((await backup("show", "20200101T000000")).exitCode).toBe(1);
});

const HASH = "SELECT count(*), md5(string_agg(id || note, ',' ORDER BY id)) FROM orders";

test("a database that was dropped comes back with every row up to the moment before", async () => {
  await psqlIn(primary, "CREATE DATABASE shop OWNER app");
  await psqlIn(primary, "CREATE TABLE orders (id serial PRIMARY KEY, note text)", "shop");
  await psqlIn(primary, "INSERT INTO orders (note) SELECT md5(n::text) FROM generate_series(1, 5000) AS n", "shop");
  await psqlIn(primary, "INSERT INTO orders (note) VALUES ('the last one')", "shop");
  const [hash, moment] = [await psqlIn(primary, HASH, "shop"), await psqlIn(primary, "SELECT clock_timestamp()")];
  await psqlIn(primary, "DROP DATABASE shop");

  const restored = await run("restore", "--at", moment, "--database", "shop", "--into", "shop_as_it_was");
  expect(restored.output).toContain("shop is back as shop_as_it_was");
  expect(restored.exitCode).toBe(0);
  expect(await psqlIn(primary, HASH, "shop_as_it_was")).toBe(hash);
  const owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'shop_as_it_was'";
  expect(await psqlIn(primary, owner)).toBe("app");
  expect(await docker("ps", "--all", "--filter", `name=${barman}.restored`, "--quiet")).toBe("");
});

inWorld(() => {
  test("a table is put back in its place, to a restore point", async () => {
    const database = "shop_as_it_was";
    const hash = await psqlIn(primary, HASH, database);
    await psqlIn(primary, "SELECT pg_create_restore_point('before the mistake')");
    await psqlIn(primary, "UPDATE orders SET note = 'spoiled'", database);
    const target = ["--name", "before the mistake", "--database", database, "--table", "public.orders"];
    expect(await run("restore", ...target, "--replace")).toMatchObject({ exitCode: 0 });
    expect(await psqlIn(primary, HASH, database)).toBe(hash);
    await psqlIn(primary, "INSERT INTO orders (note) VALUES ('its sequence goes on')", database);
  });

  test("what ALTER SYSTEM had set when a backup was taken holds up nothing that is restored from it", async () => {
    await psqlIn(primary, "ALTER SYSTEM SET synchronous_standby_names = 'somebody_who_is_away'");
    await psqlIn(primary, "ALTER SYSTEM SET recovery_min_apply_delay = '1d'");
    // The drill of the next update restores it as well.
    expect(await backup("now")).toMatchObject({ exitCode: 0 });
    await psqlIn(primary, "ALTER SYSTEM RESET ALL");
    expect(await run("restore", "--latest")).toMatchObject({ exitCode: 0 });
    const restored = `${barman}.restored`;
    expect(await psqlIn(restored, "SHOW synchronous_standby_names")).toBe("");
    const others = "SELECT name FROM pg_file_settings WHERE sourcefile ~ 'auto.conf$' AND name !~ '^rec|^restore'";
    expect(await psqlIn(restored, others)).toBe("");
    await psqlIn(restored, "CREATE TABLE written_to_what_was_restored ()");
    await run("restore", "--remove");
  });

  test("a wrong target is refused before anything is made", async () => {
    const refused = [
      [["--at", "2020-01-01 00:00:00+00"], "is before the end of the first backup"],
      [["--name", "nobody's"], 'no restore point "nobody\'s"'],
      [["--lsn", "FF/0"], "is in the future"],
      [["--latest", "--database", "app", "--into", "app"], "There is a database app already"],
    ] as const;
    for (const [args, words] of refused) {
      const { exitCode, output } = await run("restore", ...args);
      expect(output).toContain(words);
      expect(exitCode).toBe(1);
    }
    expect(await docker("volume", "ls", "--quiet", "--filter", `name=${barman}.restored`)).toBe("");
  });
});

test("where writes wait for the backup server, they do while it hangs", async () => {
  await docker("pause", barman);
  const write = psqlIn(primary, "CREATE TABLE confirmed_by_barman ()");
  const waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
  await expect.poll(() => psqlIn(primary, waiting), { timeout: 15_000 }).toBe("1");
  await docker("unpause", barman);
  await write;
});

/** After each row of the ledger: a moment at which it was there, and the next one was not. */
const moments: string[] = [];

async function writeLedger(rows: number): Promise<void> {
  const row = `INSERT INTO ledger (note) VALUES (md5(random()::text));
SELECT clock_timestamp();
SELECT pg_sleep(random() * 0.05) \\g /dev/null
`;
  moments.push(...(await psqlIn(primary, row.repeat(rows), "app")).split("\n"));
}

const ledgerUpTo = (container: string, id: number): Promise<unknown[]> =>
  rowsIn(container, `SELECT id, note FROM ledger WHERE id <= ${id} ORDER BY id`, "app");

test("Barman follows a change of the primary", async () => {
  await psqlIn(primary, "CREATE TABLE ledger (id serial PRIMARY KEY, note text)", "app");
  await writeLedger(ROWS);
  config = { ...config, primary: "node-2" };
  await stack.configure(config);
  await stack.up();
  primary = stack.container("node-2");
  await stack.expectNoChanges();
  // A sequence may have skipped what it had logged in advance.
  await psqlIn(primary, `SELECT setval('ledger_id_seq', ${ROWS})`, "app");
  await writeLedger(ROWS);
});

inWorld(() => {
  test.each(POINTS)("the moment after row %i of 40 comes back row by row", async (index) => {
    const { exitCode, output } = await run("restore", "--at", moments[index] ?? "");
    expect({ exitCode, output }).toMatchObject({ exitCode: 0 });
    const everything = Number.MAX_SAFE_INTEGER;
    expect(await ledgerUpTo(`${barman}.restored`, everything)).toEqual(await ledgerUpTo(primary, index + 1));
    await run("restore", "--remove");
  });

  test("a switchover in the middle of a base backup: the next update removes what failed, and has one that can be restored", async () => {
    await psqlIn(
      primary,
      "CREATE TABLE large AS SELECT n, repeat('x', 1000) FROM generate_series(1, 200000) AS n",
      "app",
    );
    const taking = backup("now");
    const isCopying = (): Promise<string> => psqlIn(primary, "SELECT count(*) FROM pg_stat_progress_basebackup");
    await expect.poll(isCopying, { timeout: 30_000, interval: 20 }).toBe("1");
    // It is held where it is until the roles have changed.
    await shellIn(barman, "pkill -STOP -x pg_basebackup");
    config = { ...config, primary: "node-1" };
    await stack.configure(config);
    const up = stack.up();
    primary = stack.container("node-1");
    await expect.poll(() => psqlIn(primary, "SELECT pg_is_in_recovery()"), { timeout: 60_000 }).toBe("f");
    await shellIn(barman, "pkill -CONT -x pg_basebackup");
    const taken = await taking;
    expect(taken.exitCode, taken.output).not.toBe(0);
    await up;
    await stack.up();
    const [newest] = await backups();
    expect(newest?.status).toBe("DONE");
    expect(await stack.outputs()).toMatchObject({ lastDrill: { backup: newest?.backup_id } });
    expect(await backup("check")).toMatchObject({ exitCode: 0 });
    await psqlIn(primary, "DROP TABLE large", "app");
    await stack.expectNoChanges();
  });

  test("base backups are taken from a standby, where the stack file says so, and the WAL from the primary", async () => {
    config = { ...config, backup: { enabled: true, from: "standby" } };
    await stack.configure(config);
    await stack.up();
    expect(await backup("now")).toMatchObject({ exitCode: 0 });
    const [newest] = await backups();
    const label = await shellIn(barman, `cat /var/lib/barman/*/base/${newest?.backup_id}/data/backup_label`);
    expect(label).toContain("BACKUP FROM: standby");
    const receives = "SELECT active FROM pg_replication_slots WHERE slot_name = 'barman'";
    expect(await psqlIn(primary, receives)).toBe("t");
    expect(await backup("check")).toMatchObject({ exitCode: 0 });
  });

  describe("what is wrong with backups", () => {
    test("a spoiled one is found by the drill of the next update, and every spoiled file is named", async () => {
      await backup("now");
      const [newest] = await backups();
      const id = newest?.backup_id ?? "";
      const of = (relation: number): string => `$(find /var/lib/barman/*/base/${id}/data/base/1 -name ${relation})`;
      await shellIn(barman, `printf spoiled | dd of=${of(1259)} bs=1 seek=9000 conv=notrunc`);
      await shellIn(barman, `truncate --size=-8192 ${of(1249)}; rm ${of(1255)}`);
      const { lastDrill } = await stack.outputs<{ lastDrill: DrillReport }>();
      await stack.configure({ ...config, backup: { enabled: true, from: "standby", retention: "REDUNDANCY 1" } });
      const output = await stack.failingUp();
      expect(output).toContain(`the drill of the backup ${id} failed: it is spoiled`);
      expect(output).toContain('checksum mismatch for file "base/1/1259"');
      expect(output).toMatch(/"base\/1\/1249" has size \d+ on disk but size \d+ in the manifest/);
      expect(output).toContain('"base/1/1255" is present in the manifest but not on disk');
      expect(await drillLeftovers()).toBe("");

      // The policy has the spoiled one alone; the last good one stays all the same.
      const afterCron = async (): Promise<string[]> => {
        await shellIn(barman, "barman -q cron");
        return (await backups()).map(({ backup_id: left }) => left);
      };
      await expect.poll(afterCron, { timeout: 60_000, interval: 1000 }).toEqual([id, lastDrill.backup]);
      expect((await backup("delete", lastDrill.backup)).output).toContain("keep request");
    });

    test("an objective that a drill misses fails the update", async () => {
      await backup("now");
      await stack.configure({ ...config, objectives: { rtoSeconds: 0.1, maxReplayLagBytes: 16_777_216 } });
      expect(await stack.failingUp()).toMatch(
        /the objective rtoSeconds: 0.1 is missed: the drill of the backup .* took/,
      );
    });

    test("a WAL file that is gone is named, and made up for by an update; if that is killed in its drill, by the next", async () => {
      const [, gone = ""] = /Begin WAL\s*: (\w{24})/.exec((await backup("show", "latest")).output) ?? [];
      await shellIn(barman, `rm /var/lib/barman/*/wals/*/${gone}`);
      await stack.configure({ ...config, objectives: { rtoSeconds: 0.1, enforce: false } });
      expect(await stack.succeed(["preview"])).toContain(`the WAL file ${gone} is missing`);

      const up = stack.start(["up", "--yes", "--skip-preview"], { detached: true });
      await expect.poll(drillLeftovers, { timeout: 240_000 }).not.toBe("");
      await signalTree(stack, "SIGKILL");
      expect((await up).exitCode).not.toBe(0);
      await execa("pulumi", ["cancel", "--yes", "--stack", stack.name], {
        cwd: PROJECT_DIRECTORY,
        env: stack.environment,
      });

      expect(await stack.up()).toContain("the objective rtoSeconds: 0.1 is missed");
      expect(await drillLeftovers()).toBe("");
      const [newest] = await backups();
      expect(await stack.outputs()).toMatchObject({ lastDrill: { backup: newest?.backup_id } });
      await stack.expectNoChanges();
    });
  });

  test("while a backup is restored it is not removed, and no other restore begins", async () => {
    const id = (await backups())[0]?.backup_id ?? "";
    const job = `${barman}.restored.restore`;
    const file = `/var/lib/barman/.${barman.replace(/-barman$/, "")}-${id}.lock`;
    const isLocked = `[ -e ${file} ] && ! flock -n ${file} true && echo held || echo free`;
    await backup("keep", "--release", id);
    const restore = run("restore", "--backup", id);
    // It is stopped where it is, as soon as it has begun to read.
    await expect
      .poll(
        async () => {
          await docker("pause", job);
          const lock = await shellIn(barman, isLocked);
          if (lock !== "held") await docker("unpause", job);
          return lock;
        },
        { timeout: 60_000, interval: 50 },
      )
      .toBe("held");
    const refused = await backup("delete", id);
    const another = await run("restore", "--latest");
    await docker("unpause", job);
    expect(another).toMatchObject({ exitCode: 1 });
    expect(another.output).toContain(`Another restore is at work, in the container ${job}`);
    expect(refused).toMatchObject({ exitCode: 1 });
    expect(refused.output).toContain(`The backup ${id} is not removed`);
    expect(await restore).toMatchObject({ exitCode: 0 });
    expect(await run("restore", "--remove")).toMatchObject({ exitCode: 0 });
  });
});

/** Copies of the newest backup by hard links, each as if it was taken so many days ago. */
async function agedBackups(...days: number[]): Promise<void> {
  const script = `set -e
    cd /var/lib/barman/*/base
    newest=$(ls | sort | tail -n 1)
    for days in ${days.join(" ")}; do
      id=$(date -u -d "$days days ago" +%Y%m%dT%H%M%S)
      at="$(date -u -d "$days days ago" '+%Y-%m-%d %H:%M:%S').000000+00:00"
      cp -al $newest $id
      rm -rf $id/annotations $id/kept-by-drill
      sed "s/^\\(begin\\|end\\)_time=.*/\\1_time=$at/" ../meta/$newest-backup.info > ../meta/$id-backup.info
    done`;
  await docker("exec", "--user", "postgres", barman, "bash", "-c", script);
}

/** How many whole days ago each was taken, the newest first. */
async function agesInDays(): Promise<number[]> {
  const ids = (await backups()).map(({ backup_id: id }) =>
    id.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)/, "$1-$2-$3T$4:$5:"),
  );
  return ids.map((id) => Math.floor((Date.now() - Date.parse(`${id}Z`)) / 86_400_000));
}

/** Barman's cron does what its policy says. */
async function untilAges(expected: readonly number[]): Promise<void> {
  const agesAfterCron = async (): Promise<number[]> => {
    await shellIn(barman, "barman -q cron");
    return agesInDays();
  };
  await expect.poll(agesAfterCron, { timeout: 60_000, interval: 1000 }).toEqual(expected);
}

inWorld(() => {
  test("after thirty days the retention policy leaves the last week, what it is restored from, and what is kept", async () => {
    await agedBackups(20);
    const kept = (await backups()).at(-1)?.backup_id ?? "";
    expect((await backup("keep", kept)).exitCode).toBe(0);
    const daily = Array.from({ length: 30 }, (_, index) => index + 1).filter((days) => days !== 20);
    await agedBackups(...daily);
    const recent = (await agesInDays()).filter((days) => days === 0).map(() => 0);

    await untilAges([...recent, 1, 2, 3, 4, 5, 6, 7, 20]);
    await stack.configure({ ...config, backup: { enabled: true, retention: "RECOVERY WINDOW OF 3 DAYS" } });
    expect(await stack.succeed(["preview"])).toMatch(
      /RECOVERY WINDOW OF 3 DAYS instead of RECOVERY WINDOW OF 7 DAYS removes 4 backups, \S+, \S+, \S+, \S+, within a minute/,
    );
    await stack.up();
    await untilAges([...recent, 1, 2, 3, 20]);
    expect(await backup("check")).toMatchObject({ exitCode: 0 });
  });
});
