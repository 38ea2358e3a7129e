import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { fileBackend, stackLocks } from "../../operations/file-backend.ts";

const STACK = { project: "shop", stack: "dev" };

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "pg-topology-backend-"));
});

afterEach(() => rm(directory, { recursive: true }));

test("a lock's process that runs is alive", async () => {
  const pulumi = await programCalledPulumi();
  const process = execa(pulumi, ["60"], { reject: false });
  onTestFinished(() => void process.kill());
  expect(await holderOfLock(process.pid)).toBe("alive");
});

test("a lock's process that was killed, and that nobody has reaped, is dead", async () => {
  const pulumi = await programCalledPulumi();
  // The shell becomes a program that never waits for its children.
  const parent = execa("sh", ["-c", `"${pulumi}" 0.05 & echo $!; exec sleep 60`], { reject: false });
  onTestFinished(() => void parent.kill());
  const pid = await new Promise<number>((resolve) =>
    parent.stdout.once("data", (line: Buffer) => resolve(Number(line))),
  );
  await expect.poll(() => holderOfLock(pid)).toBe("dead");
});

test("a lock's process that is another program by now is dead", async () => {
  expect(await holderOfLock(process.pid)).toBe("dead");
});

test("of a lock's process on another host nothing is known", async () => {
  expect(await holderOfLock(process.pid, "elsewhere")).toBe("unknown");
});

async function programCalledPulumi(): Promise<string> {
  const program = join(directory, "pulumi");
  await copyFile("/bin/sleep", program);
  return program;
}

async function holderOfLock(pid: number | undefined, host = hostname()): Promise<string | undefined> {
  const backend = fileBackend(`file://${directory}`, directory, STACK);
  if (backend === undefined) throw new Error("a file backend was expected");
  await mkdir(backend.locks, { recursive: true });
  await writeFile(join(backend.locks, "one.json"), JSON.stringify({ pid, hostname: host }));
  return (await stackLocks(backend))[0]?.holder;
}
