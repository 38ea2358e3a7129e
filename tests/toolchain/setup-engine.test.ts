/** The engine: one that runs is left alone, one that is down is started, and one that is missing is installed. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { completeMachine, WORKING, type Clone, type Machine } from "./support/machine.ts";

let machine: Machine;
let clone: Clone;

beforeEach(async () => {
  machine = await completeMachine();
  clone = await machine.clone();
  await rm(join(machine.folder, "engine"));
});

afterEach(() => machine.remove());

async function callsTo(command: string): Promise<string[]> {
  return (await machine.calls()).filter((call) => call.split(" ")[0] === command);
}

test("one that is down is started, in a session of its own", async () => {
  await machine.command(
    "dockerd",
    'echo "$$ $(cut -d " " -f 6 /proc/$$/stat)" >"$MACHINE/session"; touch "$MACHINE/engine"',
  );

  const outcome = await clone.setup();

  expect(outcome).toMatchObject({ exitCode: 0, stderr: "" });
  expect(outcome.stdout).toContain("docker 28.0.0, started");
  const [process, session] = (await readFile(join(machine.folder, "session"), "utf8")).trim().split(" ");
  expect(session).toBe(process);
});

test("one that is still starting is waited for, and not started twice", async () => {
  await machine.command("pidof", "exit 0");
  setTimeout(() => void writeFile(join(machine.folder, "engine"), ""), 700);

  const outcome = await clone.setup();

  expect(outcome).toMatchObject({ exitCode: 0, stderr: "" });
  expect(await callsTo("dockerd")).toEqual([]);
});

test("one that is missing is installed from Debian's packages", async () => {
  await machine.withoutCommand("dockerd");
  await machine.withoutCommand("docker");
  await machine.command("parked-docker", WORKING.docker);
  await machine.command(
    "apt-get",
    `case $* in *install*)
       cp "$BIN/parked-docker" "$BIN/docker"
       printf '#!/bin/sh\\ntouch "$MACHINE/engine"\\n' >"$BIN/dockerd"; chmod +x "$BIN/dockerd" ;;
     esac`,
  );

  const outcome = await clone.setup();

  expect(outcome).toMatchObject({ exitCode: 0, stderr: "" });
  expect((await callsTo("apt-get")).at(-1)).toMatch(/install -y --no-install-recommends docker\.io iptables$/);
});

test("one under systemd is started by systemd", async () => {
  await machine.command(
    "systemctl",
    'case $1 in is-system-running) echo degraded; exit 1 ;; start) touch "$MACHINE/engine" ;; esac',
  );

  const outcome = await clone.setup();

  expect(outcome).toMatchObject({ exitCode: 0, stderr: "" });
  expect(await callsTo("systemctl")).toContain("systemctl start docker");
  expect(await callsTo("dockerd")).toEqual([]);
});

test("one that dies on the way is reported with its last words", async () => {
  await machine.command("dockerd", 'echo "failed to mount overlay: operation not permitted" >&2; exit 1');

  const outcome = await clone.setup();

  expect(outcome.exitCode).toBe(1);
  expect(outcome.stderr).toContain("failed to mount overlay: operation not permitted");
  expect(outcome.stderr).toMatch(/engine: the Docker engine did not start; .*dockerd\.log\)$/);
});

test("the engine outlives set-up without holding its locks", async () => {
  await machine.command("dockerd", 'touch "$MACHINE/engine"; ls -l /proc/$$/fd >"$MACHINE/files"; exec sleep 3');
  await clone.setup();

  const outcome = await Promise.race([clone.setup(), new Promise((resolve) => setTimeout(resolve, 2500, "waits"))]);

  expect(outcome).toMatchObject({ exitCode: 0 });
});
