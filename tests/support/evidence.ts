import { setTimeout as sleep } from "node:timers/promises";
import Docker from "dockerode";
import { allProcesses } from "./processes.ts";
import type { TestStack } from "./stack.ts";

/** Everything that somebody could have seen, to be searched for secrets once all of them are known. */
export class Evidence {
  readonly #texts = new Map<string, Set<string>>();

  add(where: string, text: string): void {
    const texts = this.#texts.get(where) ?? new Set();
    this.#texts.set(where, texts.add(text));
  }

  /** Where something is found; never what. */
  placesOf(secret: string): string[] {
    const places = [...this.#texts].filter(([, texts]) => [...texts].some((text) => text.includes(secret)));
    return places.map(([where]) => where);
  }

  get places(): string[] {
    return [...this.#texts.keys()];
  }
}

const SAMPLE_INTERVAL_MILLISECONDS = 25;

/**
 * Looks while `work` runs, as often as it can: at all processes of this machine, and at the stack's containers, jobs
 * and helpers among them, with what they write.
 */
export async function watching<T>(stack: TestStack, evidence: Evidence, work: Promise<T>): Promise<T> {
  const done = new AbortController();
  const watches = [
    repeat(done.signal, () => watchProcesses(evidence)),
    repeat(done.signal, () => watchContainers(stack, evidence)),
  ];
  try {
    return await work;
  } finally {
    done.abort();
    await Promise.all(watches);
  }
}

async function repeat(done: AbortSignal, look: () => Promise<void>): Promise<void> {
  while (!done.aborted) {
    await look();
    await sleep(SAMPLE_INTERVAL_MILLISECONDS);
  }
}

/** Pulumi itself hands the configuration to the program in this variable, secrets decrypted. */
const PULUMI_CONFIGURATION = /^PULUMI_CONFIG=/;

async function watchProcesses(evidence: Evidence): Promise<void> {
  for (const { commandLine, environment } of await allProcesses()) {
    evidence.add("a command line", commandLine.join(" "));
    for (const variable of environment) {
      if (!PULUMI_CONFIGURATION.test(variable)) evidence.add("the environment of a process", variable);
    }
  }
}

/** Adds what `docker inspect` and `docker logs` show of every container of the stack at this moment. */
export async function watchContainers(stack: TestStack, evidence: Evidence): Promise<void> {
  const docker = new Docker();
  const label = Object.entries(stack.labels).map(([key, value]) => `${key}=${value}`);
  for (const { Id } of await docker.listContainers({ all: true, filters: { label } })) {
    const container = docker.getContainer(Id);
    const [inspected, log] = await Promise.all([
      container.inspect().catch(() => undefined),
      container.logs({ stdout: true, stderr: true, follow: false }).catch(() => undefined),
    ]);
    if (inspected !== undefined) evidence.add(`docker inspect of ${inspected.Name}`, JSON.stringify(inspected));
    if (inspected !== undefined && log !== undefined) evidence.add(`docker logs of ${inspected.Name}`, log.toString());
  }
}
