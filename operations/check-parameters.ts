import type { OnHost } from "./docker-host.ts";
import { engineOf, unlessMissing } from "./engine.ts";
import { runJob } from "./job.ts";

export interface ParameterCheck extends OnHost {
  readonly job: string;
  readonly image: string;
  /** Rendered from config-templates/check-parameters.sh. */
  readonly script: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Lets the server of the image read parameters, in a container that has nothing else.
 * @returns its refusals in its own words, one for each parameter; "no image": there is nobody to ask yet.
 */
export async function checkParameters({ job, ...check }: ParameterCheck): Promise<"taken" | "no image" | string[]> {
  if ((await unlessMissing(engineOf(check).getImage(check.image).inspect())) === undefined) return "no image";
  const words = serverWords(await runJob(engineOf(check), { name: job, network: null, mounts: [], ...check }));
  return words.length === 0 ? "taken" : words;
}

/** What the server logs of lines that it does not take, with the hint that belongs to each; empty: it takes them all. */
export function serverWords(output: string): string[] {
  if (!output.includes("FATAL:")) return [];
  const words: string[] = [];
  for (const line of output.split("\n")) {
    const [, level, text] = /(LOG|HINT|FATAL|ERROR): {2}(.*)$/.exec(line) ?? [];
    if (level === undefined || text === undefined || /contains errors$|^skipping missing/.test(text)) continue;
    if (level === "HINT") words.push(`${words.pop() ?? ""} (${text})`);
    else words.push(text);
  }
  return words;
}
