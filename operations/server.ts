import { engineOf, inspectContainer, lastLogLines, statusCode } from "./engine.ts";
import { OperationError, messageOf } from "./errors.ts";
import type { OnHost } from "./docker-host.ts";
import type { Node } from "./node.ts";
import { readiness } from "./sql.ts";
import type { OperatorCredentials } from "./sql.ts";
import { waitUntil } from "./wait-until.ts";

/** A server that ended instead of taking connections. */
export class ServerEndedError extends OperationError {}

const READY_TIMEOUT_SECONDS = 60;
/** A clean stop writes a checkpoint first: as long as the container's own stop timeout. */
const STOP_TIMEOUT_SECONDS = 120;

/**
 * Starts the container if it is stopped, and resumes one that is paused; one that runs is left alone, unless it only
 * waits for its next attempt.
 */
export async function startServer(node: Node): Promise<void> {
  const container = engineOf(node).getContainer(node.container);
  try {
    if ((await inspectContainer(engineOf(node), node.container))?.State.Paused) await container.unpause();
    else await container.start();
  } catch (error) {
    // 304: it was running. After some failures Docker waits up to a minute before it starts it again.
    if (statusCode(error) === 304) return restartIfItWaits(node);
    if (statusCode(error) === 404) throw goneContainer(node);
    throw new OperationError(`the container of ${node.name} does not start: ${messageOf(error)}`);
  }
}

async function restartIfItWaits(node: Node): Promise<void> {
  if (await endsAgainAndAgain(node)) await restartEnding(node);
}

const ENTRYPOINT_STOP_SECONDS = 5;

/**
 * Restarts a container whose server does not come up. What comes before a server is the container's first process, which
 * no signal ends that it does not wait for: it is not given the time that a server has to stop cleanly.
 */
export async function restartEnding(node: Node): Promise<void> {
  await engineOf(node).getContainer(node.container).restart({ t: ENTRYPOINT_STOP_SECONDS });
}

const FEW_RESTARTS = 3;
/** Docker takes a container that has run for so long for one that runs. */
const RUNS_MILLISECONDS = 10_000;

/** Whether its server ends as often as it is started: between two attempts it seems to run. */
export async function endsAgainAndAgain(node: OnHost & { readonly container: string }): Promise<boolean> {
  const found = await inspectContainer(engineOf(node), node.container);
  if (found === undefined) return false;
  const { Restarting, Running, StartedAt } = found.State;
  if (Restarting || !Running) return Restarting;
  return found.RestartCount >= FEW_RESTARTS && Date.now() - Date.parse(StartedAt) < RUNS_MILLISECONDS;
}

/**
 * Waits until the server of a node takes connections over TCP; one in recovery that is not yet consistent does not.
 * @throws OperationError at the deadline, or as soon as the container ends, with the last lines of the log.
 */
export async function waitUntilReady(node: Node, operator: OperatorCredentials, signal?: AbortSignal): Promise<void> {
  let seen = "nothing";
  let restartsAtFirst: number | undefined;
  await waitUntil({
    condition: `the server of ${node.name} to take connections`,
    timeoutSeconds: READY_TIMEOUT_SECONDS,
    signal,
    probe: async () => {
      const answer = await readiness(node, operator);
      if (answer === "ready") return true;
      seen = answer;
      restartsAtFirst = await failWhenItEnds(node, restartsAtFirst);
      return undefined;
    },
    seen: async () => `${seen}. Last lines of its log:\n${await indentedLog(node)}`,
  });
}

/** A container that ends, or that Docker starts again and again, will not become ready by waiting. */
async function failWhenItEnds(node: Node, restartsAtFirst: number | undefined): Promise<number> {
  const container = await inspectContainer(engineOf(node), node.container);
  if (container === undefined) throw goneContainer(node);
  const restarts = container.RestartCount;
  const first = restartsAtFirst ?? restarts;
  const ended = !container.State.Running && !container.State.Restarting;
  if (!ended && restarts - first < FEW_RESTARTS) return first;
  throw new ServerEndedError(
    `the server of ${node.name} ended with exit code ${container.State.ExitCode} instead of taking connections. Last lines of its log:\n${await indentedLog(node)}`,
  );
}

export async function indentedLog(node: Node): Promise<string> {
  const log = await lastLogLines(engineOf(node), node.container);
  return log
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
}

const goneContainer = (node: Node): OperationError =>
  new OperationError(
    `the container ${node.container} is gone. Run \`pulumi up --refresh\`: it makes a new one around the same data.`,
  );

/** Stops the server cleanly (SIGINT is a fast shutdown with a checkpoint); one that is gone or stopped is no error. */
export async function stopServer(node: Node): Promise<void> {
  try {
    await engineOf(node).getContainer(node.container).stop({ t: STOP_TIMEOUT_SECONDS });
  } catch (error) {
    if (statusCode(error) !== 304 && statusCode(error) !== 404) throw error;
  }
}
