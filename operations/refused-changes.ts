import type Docker from "dockerode";
import { readContainerFile } from "./container-file.ts";
import { hasFile } from "./engine.ts";
import type { DataVolume } from "./node-data.ts";
import { findNodes } from "./node.ts";
import type { Node, StackLabels } from "./node.ts";

/** What cannot be changed in a running topology by writing another value into the stack file. */
export interface LastingChoices {
  readonly postgresMajor: number;
  readonly primary: Node;
  /** PGDATA inside the containers. */
  readonly dataDirectory: string;
  readonly labels: StackLabels;
  readonly nodeLabel: string;
  readonly dataVolumes: readonly DataVolume[];
  readonly deletionProtection: boolean;
}

/** Changes that would do harm, or that this version cannot make, each with what to do instead. */
export async function refusedChanges(docker: Docker, before: LastingChoices, after: LastingChoices): Promise<string[]> {
  return [
    ...(await majorChange(docker, before, after)),
    ...(await primaryChange(docker, before, after)),
    ...protectedRemoval(before, after),
  ];
}

/** Pulumi itself would refuse only when it comes to the volume: the server before it would be gone by then. */
function protectedRemoval(before: LastingChoices, after: LastingChoices): string[] {
  if (!before.deletionProtection) return [];
  const staying = new Set(after.dataVolumes.map(({ volume }) => volume));
  const removed = before.dataVolumes.map(({ volume }) => volume).filter((volume) => !staying.has(volume));
  if (removed.length === 0) return [];
  return [
    `${removed.join(", ")} would be removed, which deletionProtection forbids. Set \`deletionProtection: false\` and run an update, then remove the node.`,
  ];
}

/** Before a cluster is founded, an update may have failed for the very reason that is being mended. */
async function majorChange(docker: Docker, before: LastingChoices, after: LastingChoices): Promise<string[]> {
  if (before.postgresMajor === after.postgresMajor) return [];
  const founded = await foundedMajor(docker, before);
  if (founded === undefined || founded === after.postgresMajor) return [];
  const reason = `the cluster is one of PostgreSQL ${founded}, and a server of PostgreSQL ${after.postgresMajor} cannot open its files. Name an image of major ${founded}; to change the major, make a second stack and move the data with pg_dump.`;
  return [reason];
}

/** What the data of any node says; undefined: no node has data. */
async function foundedMajor(docker: Docker, choices: LastingChoices): Promise<number | undefined> {
  const nodes = await findNodes(docker, choices.labels, choices.nodeLabel);
  for (const { container } of nodes) {
    const version = await readContainerFile(docker, container, `${choices.dataDirectory}/PG_VERSION`);
    if (version !== undefined) return Number(version);
  }
  return undefined;
}

/** A node that was promoted already may be named: that says what is, and changes no role. */
async function primaryChange(docker: Docker, before: LastingChoices, after: LastingChoices): Promise<string[]> {
  if (before.primary.name === after.primary.name) return [];
  if (await isPromoted(docker, after)) return [];
  const reason = `${before.primary.name} is the primary and ${after.primary.name} is not: changing that is a switchover, which this version does not have. Set \`primary: ${before.primary.name}\`.`;
  return [reason];
}

/** PostgreSQL itself says what a node is: data without standby.signal is a primary's. */
async function isPromoted(docker: Docker, { primary, dataDirectory }: LastingChoices): Promise<boolean> {
  const exists = (file: string): Promise<boolean> => hasFile(docker, primary.container, `${dataDirectory}/${file}`);
  const [hasData, isStandby] = await Promise.all([exists("PG_VERSION"), exists("standby.signal")]);
  return hasData && !isStandby;
}
