import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import { lastLogLines, removeContainer, statusCode } from "./engine.ts";
import { OperationError, messageOf } from "./errors.ts";

/** A container that does one thing to a volume and goes. One that changes it has a fixed name: two never run at once. */
export interface Job {
  readonly name: string;
  readonly image: string;
  /** A text for bash, run as root. It holds no secret: the engine shows it to whoever asks. */
  readonly script: string;
  /** What the script gets as "$1" and so on. */
  readonly arguments?: readonly string[];
  readonly mounts: readonly JobMount[];
  /** null: no network at all. */
  readonly network: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** Called now and then while the job runs. */
  readonly onProgress?: (() => Promise<void>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface JobMount {
  readonly volume: string;
  readonly path: string;
  readonly readOnly: boolean;
}

/** The job ran to its end and said no: it has changed nothing for good. */
export class JobFailedError extends OperationError {}

const PROGRESS_INTERVAL_MILLISECONDS = 500;
const POLL_INTERVAL_MILLISECONDS = 1000;

/**
 * Runs a job to its end and removes its container. What an interrupted run left under the same name is removed first.
 * @returns what it wrote.
 * @throws JobFailedError with its last lines when it exits with anything but 0.
 */
export async function runJob(docker: Docker, job: Job): Promise<string> {
  await removeContainer(docker, job.name);
  const container = await createJobContainer(docker, job);
  const abort = (): void => void removeContainer(docker, container.id).catch(() => undefined);
  job.signal?.addEventListener("abort", abort, { once: true });
  try {
    job.signal?.throwIfAborted();
    const exitCode = await runToItsEnd(container, job);
    const output = await lastLogLines(docker, container.id, 200);
    if (exitCode !== 0) throw new JobFailedError(failure(job.name, exitCode, output));
    return output;
  } catch (error) {
    // Whatever the engine says of a container that was removed under its hands: this is the reason.
    job.signal?.throwIfAborted();
    throw error;
  } finally {
    job.signal?.removeEventListener("abort", abort);
    // By its id: after an interruption the name may be that of the next update's job already.
    await removeContainer(docker, container.id);
  }
}

async function runToItsEnd(container: Docker.Container, job: Job): Promise<number> {
  const exit = container.wait({ condition: "next-exit" }) as Promise<{ StatusCode: number }>;
  // Where the start fails, nobody waits for this any more.
  exit.catch(() => undefined);
  await container.start();
  const ended = new AbortController();
  try {
    const exitCode = exit.then(({ StatusCode }) => StatusCode);
    return await withProgress(Promise.race([exitCode, polledExitCode(container, ended.signal)]), job.onProgress);
  } finally {
    ended.abort();
  }
}

/** An engine that goes away leaves the wait for its answer open for ever: it is asked anew now and then. */
async function polledExitCode(container: Docker.Container, ended: AbortSignal): Promise<number> {
  for (;;) {
    await sleep(POLL_INTERVAL_MILLISECONDS, undefined, { signal: ended });
    const { State } = await container.inspect();
    if (!State.Running) return State.ExitCode;
  }
}

async function createJobContainer(docker: Docker, job: Job): Promise<Docker.Container> {
  try {
    return await docker.createContainer({
      name: job.name,
      Image: job.image,
      User: "root",
      Entrypoint: ["bash", "-c", job.script, "bash", ...(job.arguments ?? [])],
      Cmd: [],
      Labels: { ...job.labels },
      HostConfig: {
        NetworkMode: job.network ?? "none",
        Mounts: job.mounts.map((mount) => ({
          Type: "volume" as const,
          Source: mount.volume,
          Target: mount.path,
          ReadOnly: mount.readOnly,
        })),
      },
    });
  } catch (error) {
    if (statusCode(error) !== 404) throw error;
    throw new OperationError(`the job ${job.name} could not be made: ${messageOf(error)}`);
  }
}

async function withProgress(exit: Promise<number>, onProgress: Job["onProgress"]): Promise<number> {
  const timer =
    onProgress && setInterval(() => void onProgress().catch(() => undefined), PROGRESS_INTERVAL_MILLISECONDS);
  try {
    return await exit;
  } finally {
    clearInterval(timer);
  }
}

/** A job that refuses says why in one line; of any other failure the last lines are shown. */
function failure(name: string, exitCode: number, output: string): string {
  const refusal = /^refused: (.*)$/m.exec(output)?.[1];
  if (refusal !== undefined) return refusal;
  const lines = output.split("\n").slice(-12).join("\n  ");
  return `the job ${name} ended with exit code ${exitCode}. Its last lines:\n  ${lines}`;
}
