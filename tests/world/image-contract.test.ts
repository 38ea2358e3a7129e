/**
 * What the program and its users rely on in an image of PostgreSQL. The images are those that set-up provides on this
 * machine: official ones where a registry is reached, else the stand-ins.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

const CHECKOUT = join(import.meta.dirname, "../..");
const SET_UP_MILLISECONDS = 10 * 60_000;

const MAJORS = [
  { major: "15", data: "/var/lib/postgresql/data", volume: "/var/lib/postgresql/data" },
  { major: "17", data: "/var/lib/postgresql/data", volume: "/var/lib/postgresql/data" },
  { major: "18", data: "/var/lib/postgresql/18/docker", volume: "/var/lib/postgresql" },
];

beforeAll(
  () =>
    execa(
      join(CHECKOUT, "toolchain/setup"),
      MAJORS.flatMap(({ major }) => ["--image", `postgres:${major}`]),
    ),
  SET_UP_MILLISECONDS,
);

async function docker(...parameters: string[]): Promise<string> {
  const { stdout } = await execa("docker", parameters, { all: true });
  return stdout;
}

let started: string[] = [];
let files: string;

beforeEach(async () => {
  started = [];
  files = await mkdtemp(join(tmpdir(), "pg-topology-image-"));
});

afterEach(async () => {
  if (started.length > 0) await docker("rm", "--force", "--volumes", ...started);
  await rm(files, { recursive: true, force: true });
});

function nameIn(assignment: string): string {
  return assignment.slice(0, assignment.indexOf("="));
}

function valueIn(assignment: string): string {
  return assignment.slice(assignment.indexOf("=") + 1);
}

/** A container of the image; what it is given beyond its command stands before the image's name. */
async function start(image: string, parameters: string[], command: string[] = []): Promise<string> {
  const name = `pg-topology-image-${randomBytes(4).toString("hex")}`;
  started.push(name);
  await docker("run", "--detach", "--name", name, ...parameters, image, ...command);
  return name;
}

/** Over TCP: the server that sets the database up listens on the socket only. */
async function untilReady(container: string): Promise<void> {
  const question = ["exec", "--user", "postgres", container, "pg_isready", "--host", "127.0.0.1"];
  const answer = async () => (await execa("docker", question, { reject: false })).exitCode;
  await expect.poll(answer, { timeout: 30_000, interval: 50 }).toBe(0);
}

async function sql(container: string, statement: string, ...parameters: string[]): Promise<string> {
  return docker("exec", "--user", "postgres", container, "psql", "--no-psqlrc", "-Atc", statement, ...parameters);
}

async function logOf(container: string): Promise<string> {
  return (await execa("docker", ["logs", container], { all: true })).all;
}

async function untilEnded(container: string): Promise<number> {
  return Number(await docker("wait", container));
}

describe.each(MAJORS)("postgres:$major", ({ major, data, volume }) => {
  const image = `postgres:${major}`;

  interface Configuration {
    readonly Env: string[];
    readonly Volumes: Record<string, object>;
    readonly StopSignal: string;
    readonly ExposedPorts: Record<string, object>;
    readonly Entrypoint: string[];
    readonly Cmd: string[];
    readonly Labels: Record<string, string> | null;
  }

  async function configuration(): Promise<Configuration> {
    return JSON.parse(await docker("image", "inspect", "--format", "{{json .Config}}", image)) as Configuration;
  }

  test("declares data directory, volume, port, stop signal, entrypoint and version", async () => {
    const config = await configuration();

    expect(Object.keys(config.Volumes)).toEqual([volume]);
    expect(config.StopSignal).toBe("SIGINT");
    expect(Object.keys(config.ExposedPorts)).toEqual(["5432/tcp"]);
    expect(config.Entrypoint).toEqual(["docker-entrypoint.sh"]);
    expect(config.Cmd).toEqual(["postgres"]);
    const env = Object.fromEntries(config.Env.map((line): [string, string] => [nameIn(line), valueIn(line)]));
    expect(env).toMatchObject({ PGDATA: data, PG_MAJOR: major, LANG: "en_US.utf8" });
    expect(env["PG_VERSION"]).toMatch(new RegExp(`^${major}\\.\\d+`));
    expect(env["PATH"]?.split(":")).toContain(`/usr/lib/postgresql/${major}/bin`);
  });

  test("says of itself if it is a stand-in", async () => {
    const labels = (await configuration()).Labels ?? {};

    const title = labels["org.opencontainers.image.title"] ?? "";
    expect(title.includes("stand-in")).toBe(labels["pg-topology.stand-in"] === "true");
  });

  test("has the programs that the topology's jobs run, gosu, and uid and gid 999", async () => {
    const programs =
      "pg_basebackup pg_verifybackup pg_rewind psql pg_amcheck pg_controldata pg_ctl initdb pg_isready gosu";

    await docker(
      "run",
      "--rm",
      "--entrypoint",
      "sh",
      image,
      "-c",
      `set -e; for p in ${programs}; do command -v $p; done`,
    );
    expect(await docker("run", "--rm", "--entrypoint", "sh", image, "-c", "id -u postgres; id -g postgres")).toBe(
      "999\n999",
    );
    expect(await docker("run", "--rm", image, "gosu", "postgres", "id", "-un")).toBe("postgres");
  });

  test("has the official directories, owners and modes", async () => {
    const paths = `${volume} /var/run/postgresql /docker-entrypoint-initdb.d`;

    const stat = await docker("run", "--rm", "--entrypoint", "sh", image, "-c", `stat -L -c '%a %u %n' ${paths}`);

    expect(stat.split("\n")).toEqual([
      `1777 999 ${volume}`,
      "3777 999 /var/run/postgresql",
      "755 0 /docker-entrypoint-initdb.d",
    ]);
  });

  test("sets a database up from files, runs the scripts, listens everywhere, and stops cleanly", async () => {
    await writeFile(join(files, "password"), "from-a-file\n");
    await writeFile(join(files, "1.sql"), "create table from_sql (n int);");
    await writeFile(join(files, "2-sourced.sh"), 'docker_process_sql <<<"create table from_sourced (n int)"', {
      mode: 0o644,
    });
    await writeFile(join(files, "3-run.sh"), '#!/bin/sh\npsql -U owner -d shop -c "create table from_run (n int)"', {
      mode: 0o755,
    });
    const container = await start(image, [
      "--env=POSTGRES_USER=owner",
      "--env=POSTGRES_DB=shop",
      "--env=POSTGRES_PASSWORD_FILE=/files/password",
      "--env=POSTGRES_INITDB_ARGS=--data-checksums --auth-host=scram-sha-256",
      `--volume=${files}:/files:ro`,
      ...["1.sql", "2-sourced.sh", "3-run.sh"].map(
        (name) => `--volume=${files}/${name}:/docker-entrypoint-initdb.d/${name}:ro`,
      ),
    ]);
    await untilReady(container);

    const asOwner = ["-U", "owner", "-d", "shop"];
    const tables = await sql(
      container,
      "select relname from pg_class where relname like 'from\\_%' order by 1",
      ...asOwner,
    );
    expect(tables.split("\n")).toEqual(["from_run", "from_sourced", "from_sql"]);
    expect(await sql(container, "show data_checksums", ...asOwner)).toBe("on");
    expect(await sql(container, "show listen_addresses", ...asOwner)).toBe("*");
    expect(await sql(container, "show data_directory", ...asOwner)).toBe(data);

    const login = [
      "exec",
      "--env=PGPASSWORD=from-a-file",
      container,
      "psql",
      "-h",
      "127.0.0.1",
      ...asOwner,
      "-Atc",
      "select 1",
    ];
    expect(await docker(...login)).toBe("1");
    expect(await docker("exec", container, "stat", "-c", "%a %u", data)).toBe("700 999");

    await docker("stop", container);
    expect(await logOf(container)).toMatch(/received fast shutdown request[^]*database system is shut down/);
  });

  test("keeps a database that is there already", async () => {
    const container = await start(image, ["--env=POSTGRES_PASSWORD=x"]);
    await untilReady(container);
    await sql(container, "create table kept (n int)");
    await docker("restart", container);
    await untilReady(container);

    expect(await sql(container, "select count(*) from kept")).toBe("0");
    expect(await logOf(container)).toContain("Skipping initialization");
  });

  test("runs under any user id, in a directory that is this user's", async () => {
    const parameters = ["--env=POSTGRES_PASSWORD=x", "--user=54321:54321", `--env=PGDATA=${volume}/own`];
    const container = await start(image, parameters);
    await untilReady(container);

    expect(await docker("exec", container, "stat", "-c", "%u", "/proc/1")).toBe("54321");
  });

  test("takes settings of the server as its command", async () => {
    const container = await start(image, ["--env=POSTGRES_PASSWORD=x"], ["-c", "max_connections=42"]);
    await untilReady(container);

    expect(await sql(container, "show max_connections")).toBe("42");
  });

  test.each([
    ["without a password", [], /superuser password is not specified/],
    [
      "with a password twice",
      ["--env=POSTGRES_PASSWORD=x", "--env=POSTGRES_PASSWORD_FILE=/x"],
      /are set \(but are exclusive\)/,
    ],
    [
      "with an argument that initdb does not know",
      ["--env=POSTGRES_PASSWORD=x", "--env=POSTGRES_INITDB_ARGS=--nonsense"],
      /nonsense/,
    ],
  ])("refuses to start %s", async (_case, parameters, message) => {
    const container = await start(image, parameters);

    expect(await untilEnded(container)).not.toBe(0);
    expect(await logOf(container)).toMatch(message);
  });

  test("has an entrypoint that other scripts can build on", async () => {
    const script = 'set -u; . docker-entrypoint.sh; docker_setup_env; echo "$POSTGRES_DB/$POSTGRES_USER"';

    const output = await docker("run", "--rm", "--env=POSTGRES_USER=me", "--entrypoint", "bash", image, "-c", script);

    expect(output).toBe("me/me");
  });
});

test("18 refuses data of an older image rather than to start empty beside it", async () => {
  const name = `pg-topology-image-${randomBytes(4).toString("hex")}`;
  try {
    const container = await start("postgres:18", [
      "--env=POSTGRES_PASSWORD=x",
      `--volume=${name}:/var/lib/postgresql/data`,
    ]);

    expect(await untilEnded(container)).not.toBe(0);
    expect(await logOf(container)).toContain("/var/lib/postgresql/data (unused mount/volume)");
    await docker("rm", "--force", "--volumes", ...started.splice(0));
  } finally {
    await docker("volume", "rm", name);
  }
});
