import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import type Docker from "dockerode";
import { statusCode } from "./engine.ts";
import { OperationError, messageOf } from "./errors.ts";

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Exec {
  readonly container: string;
  readonly user: string;
  readonly command: readonly string[];
  /** Given by standard input: what is secret is on no command line. */
  readonly input?: string;
}

/**
 * Runs a command in a running container to its end; whatever its exit code, that is a result.
 * @throws OperationError when the container does not run, or stops before the command has begun.
 */
export async function execIn(docker: Docker, exec: Exec): Promise<ExecResult> {
  try {
    return await runToItsEnd(docker, exec);
  } catch (error) {
    const why = whyNot(error);
    if (why === undefined) throw error;
    throw new OperationError(`the container ${exec.container} cannot be asked: ${why}.`);
  }
}

/** One that stops between the steps of an exec is a failure of the engine's own (500) and not a conflict (409). */
function whyNot(error: unknown): string | undefined {
  switch (statusCode(error)) {
    case 404:
    case 409:
      return "it is not running";
    case 500:
      return messageOf(error).trim();
    default:
      return undefined;
  }
}

async function runToItsEnd(docker: Docker, { container, user, command, input = "" }: Exec): Promise<ExecResult> {
  const exec = await docker.getContainer(container).exec({
    User: user,
    Cmd: [...command],
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
  });
  const stream = await exec.start({ hijack: true, stdin: true });
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  docker.modem.demuxStream(stream, stdout, stderr);
  stream.on("end", () => {
    stdout.end();
    stderr.end();
  });
  stream.end(input);
  const [output, errors] = await Promise.all([text(stdout), text(stderr)]);
  const { ExitCode } = await exec.inspect();
  return { exitCode: ExitCode ?? -1, stdout: output, stderr: errors };
}
