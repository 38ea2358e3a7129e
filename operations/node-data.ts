import { randomBytes } from "node:crypto";
import { engineOf, hasFile, inspectContainer, removeContainer, unlessMissing } from "./engine.ts";
import { OperationError, messageOf } from "./errors.ts";
import type { Node, StackLabels } from "./node.ts";
import { SELF } from "./observe.ts";
import type { SelfRow } from "./observe.ts";
import { readPgControl } from "./pg-control.ts";
import type { RoleEnvironment } from "./role-environment.ts";
import type { NodeData } from "./sole-copy.ts";
import { runAsSuperuser } from "./superuser.ts";
import { withDeadline } from "./with-deadline.ts";

/** A node, and the volume with its data. */
export interface DataVolume extends Node {
  readonly volume: string;
}

const ANSWER_TIMEOUT_SECONDS = 5;

/** What a node's data is: its server is asked, and where none answers, the files are. */
export async function nodeData(node: Node, dataDirectory: string): Promise<NodeData> {
  try {
    const question = runAsSuperuser(node, `SELECT row_to_json(self) FROM (${SELF}) AS self;\n`);
    const self = JSON.parse(await withDeadline(question, ANSWER_TIMEOUT_SECONDS, "no answer")) as SelfRow;
    const { system_identifier: systemIdentifier, timeline, wal_lsn: walLsn } = self;
    return { kind: "cluster", role: self.standby ? "standby" : "primary", systemIdentifier, timeline, walLsn };
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return fromFiles(node, dataDirectory);
  }
}

async function fromFiles(node: Node, dataDirectory: string): Promise<NodeData> {
  const { container } = node;
  const docker = engineOf(node);
  try {
    const [control, isStandby] = await Promise.all([
      readPgControl(docker, container, dataDirectory),
      hasFile(docker, container, `${dataDirectory}/standby.signal`),
    ]);
    if (control === undefined) return { kind: "none" };
    const { systemIdentifier, timeline } = control;
    return { kind: "cluster", role: isStandby ? "standby" : "primary", systemIdentifier, timeline, walLsn: null };
  } catch (error) {
    return { kind: "unknown", why: messageOf(error) };
  }
}

/** Where a node keeps its data. */
export interface DataPlace {
  readonly image: string;
  readonly labels: StackLabels;
  readonly node: DataVolume;
  readonly dataMount: string;
  readonly dataDirectory: string;
  /** Says that what is missing is being replaced; undefined: nobody replaces it. */
  readonly fenceFile?: string;
}

/** Whether a node has no data: none yet, or none any more. */
export async function isDataGone(place: DataPlace): Promise<boolean> {
  const { node, dataDirectory, fenceFile } = place;
  const docker = engineOf(node);
  const isEmpty = async (container: string): Promise<boolean> => {
    if (await hasFile(docker, container, `${dataDirectory}/PG_VERSION`)) return false;
    return fenceFile === undefined || !(await hasFile(docker, container, fenceFile));
  };
  const isThere = (await unlessMissing(docker.getVolume(node.volume).inspect())) !== undefined;
  return isThere ? withDataOf(place, node, isEmpty) : true;
}

/**
 * A job that names a volume that is gone would make one without labels.
 * @throws OperationError when it is gone.
 */
export async function requireDataVolume(node: DataVolume): Promise<void> {
  if ((await unlessMissing(engineOf(node).getVolume(node.volume).inspect())) !== undefined) return;
  throw new OperationError(`the volume ${node.volume} is gone. Run \`pulumi up --refresh\`, which makes a new one.`);
}

/**
 * Runs `use` with a container in which a node's data directory can be read and written, where its own is gone as well.
 * undefined: its volume is gone too, or nobody knows of one.
 */
export async function withFilesOf<T>(
  environment: RoleEnvironment,
  node: Node,
  use: (container: string) => Promise<T>,
): Promise<T | undefined> {
  if ((await inspectContainer(engineOf(node), node.container)) !== undefined) return use(node.container);
  const mount = await dataMountOf(environment, node);
  if (mount === undefined) return undefined;
  const { image, labels } = environment;
  return withDataOf({ image, labels, dataMount: mount.path }, { ...node, volume: mount.volume }, use);
}

/** Where jobs find the data of a node. undefined: its volume is gone, or nobody knows of one. */
export async function dataMountOf(
  { dataDirectory, jobs }: RoleEnvironment,
  node: Node,
): Promise<{ readonly volume: string; readonly path: string } | undefined> {
  const mount = jobs[node.name]?.mounts.find(({ path }) => dataDirectory.startsWith(`${path}/`));
  if (mount === undefined) return undefined;
  const found = await unlessMissing(engineOf(node).getVolume(mount.volume).inspect());
  return found === undefined ? undefined : mount;
}

/** Runs `use` with a container that has the node's volume mounted: its own, or where that is gone one that never runs. */
export async function withDataOf<T>(
  { image, labels, dataMount }: { readonly image: string; readonly labels: StackLabels; readonly dataMount: string },
  node: DataVolume,
  use: (container: string) => Promise<T>,
): Promise<T> {
  const docker = engineOf(node);
  if ((await inspectContainer(docker, node.container)) !== undefined) return use(node.container);
  const name = `${node.volume}.data-${randomBytes(4).toString("hex")}`;
  await docker.createContainer({
    name,
    Image: image,
    Entrypoint: ["true"],
    Cmd: [],
    Labels: { ...labels },
    HostConfig: { NetworkMode: "none", Mounts: [{ Type: "volume", Source: node.volume, Target: dataMount }] },
  });
  try {
    return await use(name);
  } finally {
    await removeContainer(docker, name);
  }
}
