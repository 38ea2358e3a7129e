import { writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { baseBackupRounds } from "./base-backup.ts";
import { report } from "./report.ts";
import { changeRounds } from "./changes.ts";
import { failovers, switchovers } from "./roles.ts";
import { startUpRound } from "./start-up.ts";
import type { StartUpRound } from "./start-up.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    standbys: { type: "string", default: "1,2,4" },
    gigabytes: { type: "string", default: "2" },
    changes: { type: "string", default: "10" },
    switchovers: { type: "string", default: "20" },
    failovers: { type: "string", default: "10" },
    image: { type: "string", default: "postgres:17" },
  },
});
const rounds = Number(values.rounds);
const { image } = values;
const [loadAverageBefore = 0] = loadavg();

const startUp = new Map<number, StartUpRound[]>();
for (const standbys of values.standbys.split(",").map(Number)) {
  const results: StartUpRound[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    console.log(`${standbys} standbys, round ${round} of ${rounds}`);
    results.push(await startUpRound(standbys, image));
  }
  startUp.set(standbys, results);
}
console.log("base backup");
const baseBackup = await baseBackupRounds(Math.min(rounds, 3), Number(values.gigabytes) * 1e9, image);
const changes = await changeRounds(Number(values.changes), image);
const roleChanges = [
  await switchovers(Number(values.switchovers), image),
  ...(await failovers(Number(values.failovers), image)),
];

const text = report({ rounds, image, loadAverageBefore, startUp, baseBackup, changes, roleChanges });
await writeFile(join(import.meta.dirname, "..", "docs", "benchmarks.md"), text);
console.log(text);
