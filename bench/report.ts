import type { BackupRound } from "./backup.ts";
import type { BaseBackupRound } from "./base-backup.ts";
import type { ChangeRound, ChangeRounds } from "./changes.ts";
import type { HostsRound } from "./hosts.ts";
import type { RoleChange, RoleChanges } from "./roles.ts";
import type { StartUpRound } from "./start-up.ts";
import { median, percentile } from "./statistics.ts";

const COLUMNS: readonly (readonly [string, keyof StartUpRound])[] = [
  ["by hand: up", "byHandUp"],
  ["`up --skip-preview`", "upSkipPreview"],
  ["`up`", "upWithPreview"],
  ["no-op `up --skip-preview`", "noOpUpSkipPreview"],
  ["no-op `up`", "noOpUp"],
  ["no-op `preview`", "preview"],
  ["`destroy`", "destroy"],
  ["by hand: down", "byHandDown"],
];

/** By number of standbys. */
export type StartUpRounds = ReadonlyMap<number, readonly StartUpRound[]>;

/** From nothing to a verified topology, and back, against plain docker commands. */
export const startUpSection = (startUp: StartUpRounds): string =>
  [
    '"By hand" is [bench/by-hand.sh](../bench/by-hand.sh): the same work with plain docker commands, in the same round.',
    "Medians in seconds, in parentheses the smallest and the largest; ratios are medians of the rounds' own ratios.",
    "",
    startUpTable(startUp),
    "",
    ratioTable(startUp),
    "",
    chart(startUp),
  ].join("\n");

/** Changes of a running topology. */
export const changesSection = (changes: ChangeRounds): string =>
  [
    "Three nodes, and a client that writes a row every 20 ms. Restarts and containers are counted, of all nodes, in one",
    "update.",
    "",
    changeTable(changes),
  ].join("\n");

const WRITING_CLIENT = [
  "Three nodes, and a client that writes all the time, one row after the other, and connects again at once. All nodes are",
  "asked every 50 ms whether they take writes.",
];

export const switchoverSection = (roleChanges: RoleChanges): string =>
  [...WRITING_CLIENT, "", roleTable(roleChanges), "", rejoinTable(roleChanges)].join("\n");

export const failoverSection = (roleChanges: RoleChanges): string =>
  [
    ...WRITING_CLIENT,
    "The primary is killed (SIGKILL), and then `up --skip-preview` makes a standby the primary, lets the old one follow, and",
    "verifies all.",
    "",
    roleTable(roleChanges),
    "",
    rejoinTable(roleChanges),
  ].join("\n");

const standbysOf = (startUp: StartUpRounds): number[] => [...startUp.keys()].toSorted((a, b) => a - b);

const roundsOf = (startUp: StartUpRounds, standbys: number): readonly StartUpRound[] => startUp.get(standbys) ?? [];

function startUpTable(startUp: StartUpRounds): string {
  const standbys = standbysOf(startUp);
  return table(
    ["", ...standbys.map((count) => `${count} standby${count === 1 ? "" : "s"}`)],
    COLUMNS.map(([title, key]) => [
      title,
      ...standbys.map((count) => spread(roundsOf(startUp, count).map((round) => round[key]))),
    ]),
  );
}

function ratioTable(startUp: StartUpRounds): string {
  const standbys = standbysOf(startUp);
  const row = (title: string, key: "upSkipPreview" | "upWithPreview"): string[] => [
    title,
    ...standbys.map((count) => median(roundsOf(startUp, count).map((round) => round[key] / round.byHandUp)).toFixed(2)),
  ];
  return table(
    ["ratio to by hand", ...standbys.map((count) => `${count} standby${count === 1 ? "" : "s"}`)],
    [row("`up --skip-preview`", "upSkipPreview"), row("`up`", "upWithPreview")],
  );
}

/** Drawn by whatever shows the Markdown file. */
function chart(startUp: StartUpRounds): string {
  const standbys = standbysOf(startUp);
  const line = (key: keyof StartUpRound): string =>
    standbys.map((count) => median(roundsOf(startUp, count).map((round) => round[key])).toFixed(2)).join(", ");
  return [
    "```mermaid",
    "xychart-beta",
    '  title "Seconds from nothing to verified replication: by hand (bars), pulumi up --skip-preview (line)"',
    `  x-axis "standbys" [${standbys.join(", ")}]`,
    '  y-axis "seconds"',
    `  bar [${line("byHandUp")}]`,
    `  line [${line("upSkipPreview")}]`,
    "```",
  ].join("\n");
}

/** A base backup of some data, against a bare pg_basebackup. */
export function baseBackupSection(rounds: readonly BaseBackupRound[]): string {
  const gigabytes = (median(rounds.map((round) => round.bytes)) / 1e9).toFixed(1);
  const speed = (key: "bare" | "bareVerified"): string =>
    median(rounds.map((round) => round[key] / round.resource)).toFixed(2);
  return [
    `${gigabytes} GB of data, ${rounds.length} rounds.`,
    "",
    table(
      ["", "seconds", "speed of the resource against it"],
      [
        ["bare `pg_basebackup` in a container", spread(rounds.map((round) => round.bare)), speed("bare")],
        ["the same, and `pg_verifybackup`", spread(rounds.map((round) => round.bareVerified)), speed("bareVerified")],
        ["`BaseBackup` resource (verified, moved into place)", spread(rounds.map((round) => round.resource)), "1"],
      ],
    ),
  ].join("\n");
}

/** Taking a backup and restoring it, each against the least that could do it. */
export function backupSection(rounds: readonly BackupRound[]): string {
  const gigabytes = median(rounds.map((round) => round.bytes / 1e9));
  const row = (title: string, key: "bare" | "backup" | "copy" | "restore", against: "bare" | "copy"): string[] => [
    title,
    spread(rounds.map((round) => round[key])),
    median(rounds.map((round) => (round[key] / round.bytes) * 1e9)).toFixed(1),
    median(rounds.map((round) => round[against] / round[key])).toFixed(2),
  ];
  return [
    `${gigabytes.toFixed(1)} GB of data. The whole commands, as a person runs them; a backup counts from when all its WAL is`,
    "archived, a restore from when the restored server answers.",
    "",
    table(
      ["", "seconds", "seconds per GB", "speed against the first"],
      [row("bare `pg_basebackup` in a container", "bare", "bare"), row("`npm run backup -- now`", "backup", "bare")],
    ),
    "",
    table(
      ["", "seconds", "seconds per GB", "speed against the first"],
      [
        row("plain `cp --archive` of the backup", "copy", "copy"),
        row("`npm run restore -- --backup ID`", "restore", "copy"),
      ],
    ),
    "",
    "The drill of each of these backups, in the next update: the RTO is from the decision to restore to a server that",
    "answers, the RPO what a loss of the primary when it began would have cost.",
    "",
    table(
      ["", "seconds"],
      [
        ["RTO", spread(rounds.map(({ rto }) => rto))],
        ["RPO", spread(rounds.flatMap(({ rpo }) => rpo ?? []))],
      ],
    ),
  ].join("\n");
}

const HOSTS_ROWS: readonly (readonly [string, Exclude<keyof HostsRound, "lostRows">])[] = [
  ["first `up --skip-preview`", "firstUp"],
  ["switchover: write gap", "switchoverGap"],
  ["failover: `up` to writable", "failover"],
  ["failover: from there until the old primary streams again", "rejoin"],
];

/** Nodes on three engines, by how late everything comes to two of them, in milliseconds. */
export function hostsSection(rounds: ReadonlyMap<number, readonly HostsRound[]>): string {
  const delays = [...rounds.keys()];
  const figuresOf = (show: (found: readonly HostsRound[]) => string): string[] =>
    delays.map((delay) => show(rounds.get(delay) ?? []));
  return [
    "Three engines, each in a network namespace of its own; whatever goes to the second or the third, or comes from there,",
    "takes so much longer on its way. A client writes all the time. Medians in seconds, in parentheses the smallest and the",
    "largest.",
    "",
    table(
      ["", ...delays.map((delay) => `${delay} ms`)],
      [
        ...HOSTS_ROWS.map(([title, key]) => [title, ...figuresOf((found) => spread(found.map((round) => round[key])))]),
        [
          "switchover: acknowledged rows lost",
          ...figuresOf((found) => String(found.reduce((sum, { lostRows }) => sum + lostRows, 0))),
        ],
      ],
    ),
  ].join("\n");
}

export const statusSection = (rounds: readonly number[]): string =>
  [
    "A healthy stack of five nodes, from the start of the command to its last line.",
    "",
    table(["", "seconds: median / p95 / max"], [["`npm run status`", figures(rounds)]]),
  ].join("\n");

const changeTable = (changes: ChangeRounds): string =>
  table(
    [
      ...["", "rounds", "write gap", "`up --skip-preview` to effect on all nodes", "whole `up --skip-preview`"],
      ...["restarts", "replaced containers", "acknowledged rows lost"],
    ],
    [...changes].map(([kind, rounds]) => [
      kind,
      String(rounds.length),
      spread(rounds.map((round) => round.writeGapSeconds)),
      effects(rounds),
      spread(rounds.map((round) => round.upSeconds)),
      String(Math.max(...rounds.map((round) => round.restarts))),
      String(Math.max(...rounds.map((round) => round.replacedContainers))),
      String(rounds.reduce((sum, round) => sum + round.lostRows, 0)),
    ]),
  );

function effects(rounds: readonly ChangeRound[]): string {
  const seconds = rounds.flatMap(({ effectSeconds }) => effectSeconds ?? []);
  return seconds.length === 0 ? "" : spread(seconds);
}

const ROLE_COLUMNS: readonly (readonly [string, (change: RoleChange) => number])[] = [
  ["write gap", (change) => change.writeGapSeconds],
  ["`up` to writable", (change) => change.writableAfterSeconds],
  ["whole `up`", (change) => change.upSeconds],
];

/** Seconds: median, 95th percentile and the largest. */
const figures = (values: readonly number[]): string =>
  [median(values), percentile(values, 95), Math.max(...values)].map((value) => value.toFixed(2)).join(" / ");

const roleTable = ({ title, changes, watched }: RoleChanges): string =>
  table(
    [
      "median / p95 / max, in seconds",
      "rounds",
      ...ROLE_COLUMNS.map(([column]) => column),
      "acknowledged rows lost",
      "WAL bytes announced as lost (max)",
      "moments with two primaries",
    ],
    [
      [
        title,
        String(changes.length),
        ...ROLE_COLUMNS.map(([, value]) => figures(changes.map(value))),
        String(changes.reduce((sum, { lostRows }) => sum + lostRows, 0)),
        String(Math.max(...changes.map(({ announcedLostBytes }) => announcedLostBytes))),
        `${watched.withTwoWritableNodes} of ${watched.moments}`,
      ],
    ],
  );

/** From the first row that the new primary takes to the old one showing that row as a standby. */
const rejoinTable = ({ changes }: RoleChanges): string =>
  table(
    ["the old primary follows by", "rounds", "seconds after the first new row: median / p95 / max"],
    [...Map.groupBy(changes, ({ rejoinedBy }) => rejoinedBy)].map(([rung, rounds]) => [
      rung,
      String(rounds.length),
      figures(rounds.map(({ rejoinSeconds }) => rejoinSeconds)),
    ]),
  );

const spread = (values: readonly number[]): string => {
  const figure = (value: number): string => value.toFixed(value < 1 ? 2 : 1);
  return `${figure(median(values))} (${figure(Math.min(...values))} to ${figure(Math.max(...values))})`;
};

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
