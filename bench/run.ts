import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { backupRounds } from "./backup.ts";
import { baseBackupRounds } from "./base-backup.ts";
import { isSection, SECTIONS, writeSection } from "./benchmarks-file.ts";
import type { Section } from "./benchmarks-file.ts";
import { changeRounds } from "./changes.ts";
import { hostsRounds } from "./hosts.ts";
import {
  backupSection,
  baseBackupSection,
  changesSection,
  failoverSection,
  hostsSection,
  startUpSection,
  statusSection,
  switchoverSection,
} from "./report.ts";
import { asynchronousFailovers, switchovers, synchronousFailovers } from "./roles.ts";
import { startUpRounds } from "./start-up.ts";
import { statusRounds } from "./status.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string" },
    standbys: { type: "string", default: "1,2,4" },
    gigabytes: { type: "string", default: "2" },
    delays: { type: "string", default: "0" },
    image: { type: "string", default: "postgres:17" },
  },
});
const { image } = values;

const DEFAULT_ROUNDS: Record<Section, number> = {
  "start-up": 5,
  "base-backup": 3,
  backup: 3,
  changes: 10,
  switchover: 20,
  failover: 100,
  "failover-asynchronous": 20,
  hosts: 5,
  status: 20,
};

const MEASURE: Record<Section, (rounds: number) => Promise<string>> = {
  "start-up": async (rounds) =>
    startUpSection(await startUpRounds(values.standbys.split(",").map(Number), rounds, image)),
  "base-backup": async (rounds) =>
    baseBackupSection(await baseBackupRounds(rounds, Number(values.gigabytes) * 1e9, image)),
  backup: async (rounds) => backupSection(await backupRounds(rounds, Number(values.gigabytes) * 1e9, image)),
  changes: async (rounds) => changesSection(await changeRounds(rounds, image)),
  switchover: async (rounds) => switchoverSection(await switchovers(rounds, image)),
  failover: async (rounds) => failoverSection(await synchronousFailovers(rounds, image)),
  "failover-asynchronous": async (rounds) => failoverSection(await asynchronousFailovers(rounds, image)),
  hosts: async (rounds) => hostsSection(await hostsRounds(values.delays.split(",").map(Number), rounds, image)),
  status: async (rounds) => statusSection(await statusRounds(rounds, image)),
};

const unknown = positionals.filter((name) => !isSection(name));
if (unknown.length > 0) {
  throw new Error(`there is no section ${unknown.join(", ")}; there are ${Object.keys(SECTIONS).join(", ")}`);
}
for (const section of Object.keys(SECTIONS).filter(isSection)) {
  if (positionals.length > 0 && !positionals.includes(section)) continue;
  const rounds = Number(values.rounds ?? DEFAULT_ROUNDS[section]);
  const [loadAverageBefore = 0] = loadavg();
  console.log(`${SECTIONS[section]}: ${rounds} rounds`);
  await writeSection(section, { rounds, image, loadAverageBefore }, await MEASURE[section](rounds));
}
