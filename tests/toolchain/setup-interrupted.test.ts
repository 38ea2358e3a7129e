/** Set-ups that are killed half-way, and set-ups at the same time. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { exists, offlineMachine, WORKING, type Machine } from "./support/machine.ts";

let machine: Machine;

beforeEach(async () => {
  machine = await offlineMachine();
});

afterEach(() => machine.remove());

async function buildsThatBegan(): Promise<number> {
  return (await machine.calls()).filter((call) => call.startsWith("go build")).length;
}

/** A build that has written its output and does not come to its end. */
const HALF_A_BUILD = `${WORKING.go}\necho $$ >"$MACHINE/build.pid"\nexec tail -f /dev/null`;

async function untilABuildHangs(): Promise<number> {
  const file = join(machine.folder, "build.pid");
  for (;;) {
    const pid = Number(await readFile(file, "utf8").catch(() => ""));
    if (pid > 0) return pid;
    await sleep(20);
  }
}

/** State and process group of a process, as /proc tells them; none once it is gone. */
async function processStatus(pid: number): Promise<{ state: string | undefined; group: number } | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  const [state, , group] = stat?.replace(/^.*\) /, "").split(" ") ?? [];
  return stat === undefined ? undefined : { state, group: Number(group) };
}

/** A process that has ended stays a zombie until its parent, here the machine's first process, looks at it. */
async function isAlive(pid: number): Promise<boolean> {
  const status = await processStatus(pid);
  return status !== undefined && status.state !== "Z";
}

async function unfinishedEntries(): Promise<string[]> {
  return (await readdir(machine.cache)).filter((name) => name.endsWith(".part"));
}

async function builtEntries(): Promise<string[]> {
  return (await readdir(machine.cache)).filter((name) => /^(pulumi|plugin)/.test(name) && !name.endsWith(".part"));
}

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
  test(`ended by ${signal}, it ends its build, leaves no cache entry, and the next run builds`, async () => {
    await machine.command("go", HALF_A_BUILD);
    const clone = await machine.clone();
    const running = clone.startSetup();
    const build = await untilABuildHangs();

    running.kill(signal);

    expect((await running).exitCode).not.toBe(0);
    await expect.poll(() => isAlive(build)).toBe(false);
    expect(await builtEntries()).toEqual([]);
    await machine.command("go", WORKING.go);
    expect(await clone.setup()).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await unfinishedEntries()).toEqual([]);
    expect(await exists(clone.path(".pulumi-local/pulumi-home/plugins/resource-docker-v5.2.0"))).toBe(true);
  });
}

test("killed with everything it started, it leaves no cache entry, and the next run builds", async () => {
  await machine.command("go", HALF_A_BUILD);
  const clone = await machine.clone();
  const running = clone.startSetup();
  const build = await untilABuildHangs();

  running.kill("SIGKILL");
  process.kill(-((await processStatus(build))?.group ?? build), "SIGKILL");

  await running;
  expect(await builtEntries()).toEqual([]);
  const [unfinished = ""] = await unfinishedEntries();
  await writeFile(join(machine.cache, unfinished, "half-done"), "");
  await machine.command("go", WORKING.go);
  expect(await clone.setup()).toMatchObject({ exitCode: 0, stderr: "" });
  expect(await unfinishedEntries()).toEqual([]);
  expect(await exists(join(machine.cache, unfinished.replace(/\.part$/, ""), "half-done"))).toBe(false);
});

test("two at once, in two clones: each build happens once, both end well", async () => {
  await machine.command("go", `sleep 0.3; ${WORKING.go}`);
  const [one, two] = [await machine.clone("one"), await machine.clone("two")];

  const outcomes = await Promise.all([one.setup(), two.setup()]);

  expect(outcomes.map(({ exitCode, stderr }) => ({ exitCode, stderr }))).toEqual([
    { exitCode: 0, stderr: "" },
    { exitCode: 0, stderr: "" },
  ]);
  expect(await buildsThatBegan()).toBe(4);
});

test("two at once, in one clone: the second waits and finds all done", async () => {
  await machine.command("go", `sleep 0.3; ${WORKING.go}`);
  const clone = await machine.clone();

  const outcomes = await Promise.all([clone.setup(), clone.setup()]);

  expect(outcomes.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  expect(await buildsThatBegan()).toBe(4);
});
