import type { JobMount } from "./job.ts";
import type { OnHost } from "./docker-host.ts";
import type { NodeMarks } from "./node.ts";

/** What a change of roles needs to know of the nodes' containers and volumes. */
export interface RoleEnvironment extends NodeMarks {
  readonly image: string;
  readonly network: string;
  /** PGDATA inside the containers. */
  readonly dataDirectory: string;
  /** Where a node's own file says whom its commits wait for; absent in what an earlier version left. */
  readonly replicationConf?: string;
  /** While this file is there, the guard lets no server start. */
  readonly fenceFile: string;
  /** Of `postgres` in the image. */
  readonly uid: number;
  /** By the node's name: the job that works on its data while its server is stopped. */
  readonly jobs: Readonly<Record<string, DataJob>>;
}

export interface DataJob extends OnHost {
  readonly name: string;
  /** The node's own; absent in what an earlier version left. */
  readonly container?: string;
  /** Rendered from config-templates/rejoin.sh. */
  readonly script: string;
  readonly mounts: readonly JobMount[];
}

/** Bytes of WAL; "unknown": where the log of a dead primary ends cannot be told, nor what is lost with it. */
export type LostBytes = number | "unknown";

/** What the operator has said may be lost, in the stack file. */
export interface RoleAcknowledgement {
  /** What a dead primary may keep for itself; null: nothing was said. */
  readonly failoverLostBytes: LostBytes | null;
  /** Nodes that may be replaced although nobody can stop them first; absent: none. */
  readonly unfenced?: readonly string[];
  /** Nodes whose own rows may be discarded so that they can follow the primary. */
  readonly rejoin: readonly string[];
}

/** What a change of roles published. */
export interface Switchover {
  readonly from: string;
  readonly to: string;
  /** From the order to stop the old primary until the new one took writes; null: nobody measured it. */
  readonly writeGapMs: number | null;
  /** WAL that the old primary had and the new one did not get; null: it cannot be told. */
  readonly lostBytes: number | null;
  /** ISO 8601, UTC. */
  readonly at: string;
}
