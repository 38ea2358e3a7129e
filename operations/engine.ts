import Docker from "dockerode";
import { dockerOptions } from "./docker-connection.ts";
import type { DockerHost, OnHost } from "./docker-host.ts";
import { OperationError, messageOf } from "./errors.ts";
import { withDeadline } from "./with-deadline.ts";

/** Every request of the client library goes through here. */
interface Modem {
  dial(options: object, callback: (error: Error | null, result: unknown) => void): void;
}

const connected = new Map<string, Docker>();

/**
 * The engine that something is on. This is the only place that knows how one is reached; what is asked of an engine that
 * does not answer fails with an EngineGoneError.
 */
export function engineOf({ host }: OnHost): Docker {
  const key = keyOf(host);
  const docker = connected.get(key) ?? connect(host);
  connected.set(key, docker);
  return docker;
}

const keyOf = (host: DockerHost | undefined): string => JSON.stringify(host ?? null);

/** The engine that DOCKER_HOST names, or the one behind the default socket. */
export const connectEngine = (): Docker => engineOf({});

/** An engine that goes away is no defect of this program. */
export class EngineGoneError extends OperationError {}

/** A preview asks a host dozens of times: one that has just kept it waiting in vain is not waited for every time. */
const SILENCE_MILLISECONDS = 20_000;
/** What fails at once may be asked again at once. */
const WAITED_MILLISECONDS = 1000;

function connect(host: DockerHost | undefined): Docker {
  const docker = host === undefined ? new Docker() : new Docker(dockerOptions(host));
  const modem = docker.modem as Modem;
  const dial = modem.dial.bind(modem);
  modem.dial = (options, callback) => {
    const known = silenceOf(host);
    if (known !== undefined) return callback(known, undefined);
    const askedAt = performance.now();
    dial(options, (error, result) => {
      if (error === null || statusCode(error) !== undefined) return callback(error, result);
      const gone = engineGone(host, error);
      if (performance.now() - askedAt > WAITED_MILLISECONDS) rememberSilence(host, gone);
      callback(gone, result);
    });
  };
  return docker;
}

const silences = new Map<string, { readonly error: EngineGoneError; readonly until: number }>();

function rememberSilence(host: DockerHost | undefined, error: EngineGoneError): void {
  if (host !== undefined) silences.set(keyOf(host), { error, until: performance.now() + SILENCE_MILLISECONDS });
}

function silenceOf(host: DockerHost | undefined): EngineGoneError | undefined {
  const known = silences.get(keyOf(host));
  return known !== undefined && performance.now() < known.until ? known.error : undefined;
}

/** Whether the host of something has just been asked in vain. */
export const isSilent = ({ host }: OnHost): boolean => silenceOf(host) !== undefined;

const engineGone = (host: DockerHost | undefined, error: Error): EngineGoneError =>
  new EngineGoneError(
    `the Docker engine ${engineAddress(host)} does not answer any more (${error.message}). Start it, and run the update again: it goes on from what is there.`,
    { cause: error },
  );

const engineAddress = (host?: DockerHost): string =>
  host === undefined
    ? `at ${process.env["DOCKER_HOST"] ?? "the default socket"}`
    : `of ${host.name}, at ${host.docker},`;

/** undefined where the engine says that there is no such thing; other failures are thrown. */
export async function unlessMissing<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (statusCode(error) === 404 || isBeingRemoved(error)) return undefined;
    throw error;
  }
}

/** Between the moment at which its layer is gone and the one at which it is, an engine cannot describe a container. */
const isBeingRemoved = (error: unknown): boolean =>
  statusCode(error) === 500 && /RWLayer of container \S+ is unexpectedly nil/.test(messageOf(error));

export function statusCode(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("statusCode" in error)) return undefined;
  return typeof error.statusCode === "number" ? error.statusCode : undefined;
}

/** @throws OperationError when no engine answers. */
export async function requireEngine(on: OnHost = {}): Promise<void> {
  try {
    await engineOf(on).ping();
  } catch (error) {
    throw new OperationError(noEngine(on, error));
  }
}

/** Whether the engine that something is on answers; without hosts, that it does not is a failure. */
export async function isReachable(on: OnHost): Promise<boolean> {
  if (on.host === undefined) return true;
  return requireEngine(on).then(
    () => true,
    () => false,
  );
}

/** Names of the hosts of some things whose engines do not answer. */
export async function silentHosts(things: readonly OnHost[]): Promise<Set<string>> {
  const byName = new Map(things.flatMap(({ host }) => (host === undefined ? [] : [[host.name, { host }] as const])));
  const asked = [...byName].map(async ([name, on]) => ((await isReachable(on)) ? [] : [name]));
  return new Set((await Promise.all(asked)).flat());
}

const PROMPT_SECONDS = 2;

/**
 * The engine that something is on, for somebody who cannot wait: ssh, for one, tries for longer.
 * @throws EngineGoneError where a host does not answer within two seconds.
 */
export async function promptEngine(on: OnHost): Promise<Docker> {
  const docker = engineOf(on);
  if (on.host === undefined) return docker;
  await withDeadline(docker.ping(), PROMPT_SECONDS, "no answer").catch((error: unknown) => {
    throw error instanceof EngineGoneError ? error : engineGone(on.host, error as Error);
  });
  return docker;
}

/** Without what this program says around it. */
const causeOf = (error: unknown): string => messageOf(error instanceof EngineGoneError ? error.cause : error);

function noEngine({ host }: OnHost, error: unknown): string {
  if (host !== undefined)
    return `expected a Docker engine ${engineAddress(host)} but none answers (${causeOf(error)}).`;
  return `expected a Docker engine ${engineAddress()}, but none answers. Start Docker (npm start does), or set DOCKER_HOST.`;
}

export async function inspectContainer(docker: Docker, name: string): Promise<Docker.ContainerInspectInfo | undefined> {
  return unlessMissing(docker.getContainer(name).inspect());
}

/** Whether a container, running or not, has a file of that path. */
export async function hasFile(docker: Docker, container: string, path: string): Promise<boolean> {
  const request = docker.getContainer(container).infoArchive({ path }) as Promise<NodeJS.ReadableStream>;
  const answer = await unlessMissing(request);
  // It has no body, but an answer that nobody reads keeps its connection, and with that the process, for minutes.
  answer?.resume();
  return answer !== undefined;
}

/** Removes a container and its anonymous volumes; one that is not there is no error. */
export async function removeContainer(docker: Docker, name: string): Promise<void> {
  try {
    await docker.getContainer(name).remove({ force: true, v: true });
  } catch (error) {
    if (statusCode(error) === 404) return;
    // Somebody else is removing it at this moment: wait until it is gone.
    if (statusCode(error) !== 409) throw error;
    await docker
      .getContainer(name)
      .wait({ condition: "removed" })
      .catch(() => undefined);
  }
}

const LOG_LINES = 15;

/** The last lines that a container wrote, for an error message; "" where there are none. */
export async function lastLogLines(docker: Docker, name: string, lines: number = LOG_LINES): Promise<string> {
  const log = await unlessMissing(
    docker.getContainer(name).logs({ stdout: true, stderr: true, tail: lines, follow: false }),
  );
  return log === undefined ? "" : withoutFrames(log).trimEnd();
}

/** The engine frames what a container without a terminal writes: 8 bytes of header (stream, length), then the text. */
export function withoutFrames(log: Buffer): string {
  const parts: Buffer[] = [];
  for (let offset = 0; offset + 8 <= log.length;) {
    const length = log.readUInt32BE(offset + 4);
    parts.push(log.subarray(offset + 8, offset + 8 + length));
    offset += 8 + length;
  }
  return Buffer.concat(parts).toString("utf8");
}
