import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import type Docker from "dockerode";
import { statusCode } from "./engine.ts";
import { OperationError } from "./errors.ts";

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
 * @throws OperationError when the container does not run.
 */
export async function execIn(docker: Docker, { container, user, command, input = "" }: Exec): Promise<ExecResult> {
  const exec = await startable(docker, container, user, command);
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

async function startable(
  docker: Docker,
  container: string,
  user: string,
  command: readonly string[],
): Promise<Docker.Exec> {
  try {
    return await docker.getContainer(container).exec({
      User: user,
      Cmd: [...command],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
    });
  } catch (error) {
    if (statusCode(error) !== 404 && statusCode(error) !== 409) throw error;
    throw new OperationError(`the container ${container} cannot be asked: it is not running.`);
  }
}
