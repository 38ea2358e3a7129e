import { expect, test } from "vitest";
import { confLines } from "../../operations/conf-lines.ts";
import { SLOT_WAL_MEGABYTES } from "../../plan/parameters.ts";
import { EVERYTHING, planOf } from "./plan-support.ts";

test("what is rendered for a node is read back as it was planned", () => {
  const odd = { application_name: "it's a \\ 'quoted' # name", "pg_stat_statements.max": 1000 };
  for (const node of planOf({ ...EVERYTHING, parameters: odd }).nodes) {
    const texts = node.serverFiles.filter(({ path }) => path.endsWith(".conf") && !path.endsWith("pg_hba.conf"));
    const read = confLines(texts.map(({ content }) => content));
    expect(Object.fromEntries(read)).toEqual({ max_slot_wal_keep_size: `${SLOT_WAL_MEGABYTES}MB`, ...node.parameters });
  }
});

test("what somebody wrote by hand is read as the server does: without quotes or an equals sign, the last line counts", () => {
  const text = ["work_mem = 4MB", "# jit = off", "Work_Mem 8MB  # more", "log_line_prefix = '%m ''x'' '"].join("\n");
  expect([...confLines([text])]).toEqual([
    ["work_mem", "8MB"],
    ["log_line_prefix", "%m 'x' "],
  ]);
});
