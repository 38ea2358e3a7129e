import { readAccess } from "../../operations/access.ts";
import type { Access } from "../../operations/access.ts";
import { findNodes } from "../../operations/node.ts";
import type { NodeMarks } from "../../operations/node.ts";
import { readVolumeFiles } from "../../operations/volume-files.ts";
import type { FoundFiles, VolumeContents } from "../../operations/volume-files.ts";
import type { Context } from "../handler.ts";

/** What several resources of a preview ask for. */
type Asker = Pick<Context, "recently">;

/** The files of a volume, as they are or were a moment ago. */
export const recentFiles = ({ recently }: Asker, contents: VolumeContents, through: string): Promise<FoundFiles> =>
  recently(`files ${contents.host?.name ?? ""} ${contents.volume}`, () => readVolumeFiles(contents, through));

/** Roles and databases of the cluster that the nodes of a stack have, as they are or were a moment ago. */
export function recentAccess({ recently }: Asker, { labels, nodeLabel, placed }: NodeMarks): Promise<Access> {
  const marks = { labels, nodeLabel, ...(placed === undefined ? {} : { placed }) };
  return recently(`access ${JSON.stringify(marks)}`, async () => readAccess(await findNodes(marks)));
}
