import type { OnHost } from "./docker-host.ts";
import { engineOf } from "./engine.ts";

/** Of Docker 20.10: the oldest that this program is tried with. */
const OLDEST_API = [1, 41] as const;
const CLOCK_TOLERANCE_SECONDS = 5;

/** What is wrong with a host as a whole, a sentence or two each. Without hosts nothing is asked. */
export interface HostFitness {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

export async function hostFitness(on: OnHost): Promise<HostFitness> {
  const { host } = on;
  if (host === undefined) return { problems: [], warnings: [] };
  const askedAt = Date.now();
  const [version, info] = await Promise.all([
    engineOf(on).version(),
    engineOf(on).info() as Promise<{ readonly SystemTime: string }>,
  ]);
  return {
    problems: oldEngine(host.name, version),
    warnings: clockApart(host.name, Date.parse(info.SystemTime), (askedAt + Date.now()) / 2),
  };
}

function oldEngine(name: string, { Version, ApiVersion }: { Version: string; ApiVersion: string }): string[] {
  const [major = 0, minor = 0] = ApiVersion.split(".").map(Number);
  if (major > OLDEST_API[0] || (major === OLDEST_API[0] && minor >= OLDEST_API[1])) return [];
  return [`expected Docker 20.10 or newer on ${name}, but its engine is ${Version}. Update it.`];
}

/** Pure. @param there, here in milliseconds since 1970, at the same moment. */
export function clockApart(name: string, there: number, here: number): string[] {
  const seconds = Math.round(Math.abs(there - here) / 1000);
  if (seconds <= CLOCK_TOLERANCE_SECONDS) return [];
  const direction = there > here ? "ahead of" : "behind";
  return [
    `the clock of ${name} is ${seconds} s ${direction} the one of this machine: moments in logs, and certificates that are new, will not fit. Let both keep time by NTP.`,
  ];
}
