/** Series as `promtool test rules` has them, a value every five seconds, and the alerts that fire at the end of them. */
export interface AlertCase {
  readonly title: string;
  readonly series: Readonly<Record<string, string>>;
  readonly firing: readonly string[];
}

/** Ten minutes of the same value. */
const always = (value: number): string => `${value}x120`;

const ONE_PRIMARY = { 'pg_topology_node_primary{node="node-1"}': always(1) };
const disk = (avail: string): Record<string, string> => ({
  'node_filesystem_avail_bytes{mountpoint="/etc/hostname",node="node-1"}': avail,
  'node_filesystem_size_bytes{mountpoint="/etc/hostname",node="node-1"}': always(1_000_000),
});
/** A single value at the moment that is looked at, and another one before and after it. */
const once = (value: number, otherwise: number): string => `${otherwise}x107 ${value} ${otherwise}x11`;
const slot = (more: Record<string, number>): Record<string, string> => ({
  ...Object.fromEntries(
    Object.entries({ active: 0, lost: 0, retained_bytes: 0, safe_bytes: 1_000_000, ...more }).map(([name, value]) => [
      `pg_topology_slot_${name}{node="node-1",slot="node_2"}`,
      always(value),
    ]),
  ),
});
const lag = (bytes: number): Record<string, string> => ({
  'pg_topology_node_primary{node="node-2"}': always(0),
  'pg_topology_standby_replay_lag_bytes{node="node-1",standby="node-2"}': always(bytes),
});

const backup = (seconds: { end_seconds: number; maximum_age_seconds: number }): Record<string, string> => ({
  'pg_topology_backup_end_seconds{job="backup",node="barman"}': always(seconds.end_seconds),
  pg_topology_backup_maximum_age_seconds: always(seconds.maximum_age_seconds),
});

const backupDisk = (free: string): Record<string, string> => ({
  'pg_topology_backup_disk_free_bytes{job="backup",node="barman"}': free,
  'pg_topology_backup_disk_size_bytes{job="backup",node="barman"}': always(1_000_000),
});

export const ALERT_CASES: readonly AlertCase[] = [
  {
    title: "all is well",
    series: { ...ONE_PRIMARY, ...lag(1000), ...slot({ active: 1, retained_bytes: 900_000 }), ...disk(always(500_000)) },
    firing: [],
  },
  {
    title: "nobody takes writes",
    series: {
      'pg_topology_node_primary{node="node-1"}': always(0),
      ...lag(0),
      'pg_topology_standby_replay_lag_bytes{node="node-2",standby="node-1"}': always(0),
    },
    firing: ["NoPrimary"],
  },
  { title: "nobody says whether it takes writes", series: {}, firing: ["NoPrimary"] },
  {
    title: "two take writes",
    series: { ...ONE_PRIMARY, 'pg_topology_node_primary{node="node-2"}': always(1) },
    firing: ["TwoPrimaries"],
  },
  {
    title: "a switchover, within which one is asked before it and the other after it",
    series: { ...ONE_PRIMARY, ...lag(0), 'pg_topology_node_primary{node="node-2"}': once(1, 0) },
    firing: [],
  },
  {
    title: "a primary whose exporter is gone",
    series: { 'up{job="postgres",node="node-1"}': always(0), 'pg_topology_node_primary{node="node-2"}': always(0) },
    firing: ["NotStreaming", "NotWatched", "PrimaryUnseen"],
  },
  {
    title: "a server does not answer",
    series: { ...ONE_PRIMARY, 'pg_up{job="postgres",node="node-2"}': always(0) },
    firing: ["NodeDown"],
  },
  {
    title: "a standby that nobody sends to",
    series: { ...ONE_PRIMARY, 'pg_topology_node_primary{node="node-2"}': always(0) },
    firing: ["NotStreaming"],
  },
  { title: "a standby that falls behind", series: { ...ONE_PRIMARY, ...lag(100_000_000) }, firing: ["ReplayLag"] },
  {
    title: "a standby that shall be behind",
    series: { ...ONE_PRIMARY, ...lag(100_000_000), 'pg_topology_delayed{standby="node-2"}': always(1) },
    firing: [],
  },
  {
    title: "a slot that keeps more and more for nobody",
    series: { ...ONE_PRIMARY, ...slot({ retained_bytes: 600_000, safe_bytes: 400_000 }) },
    firing: ["SlotKeepsWal"],
  },
  { title: "a slot that lost WAL", series: { ...ONE_PRIMARY, ...slot({ lost: 1 }) }, firing: ["SlotLostWal"] },
  {
    title: "commits that wait",
    series: { ...ONE_PRIMARY, 'pg_topology_node_oldest_wait_seconds{node="node-1"}': always(30) },
    firing: ["CommitsWaiting"],
  },
  {
    title: "a long statement that is seen while it commits",
    series: { ...ONE_PRIMARY, 'pg_topology_node_oldest_wait_seconds{node="node-1"}': once(600, 0) },
    firing: [],
  },
  { title: "a disk that is nearly full", series: { ...ONE_PRIMARY, ...disk(always(50_000)) }, firing: ["DiskFills"] },
  {
    title: "a disk that will be full",
    series: { ...ONE_PRIMARY, ...disk("900000-1000x120") },
    firing: ["DiskFills"],
  },
  {
    title: "a certificate that ends tomorrow",
    series: { ...ONE_PRIMARY, 'pg_topology_certificate_ends_seconds{node="node-1"}': always(86_400) },
    firing: ["CertificateEnds"],
  },
  {
    title: "a backup server that receives nothing",
    series: {
      ...ONE_PRIMARY,
      'pg_topology_slot_active{node="node-1",slot="barman"}': always(0),
      'pg_topology_slot_active{node="node-2",slot="barman"}': always(0),
      'pg_topology_backup_slot{slot="barman"}': always(1),
    },
    firing: ["BackupServerAway"],
  },
  {
    title: "a backup server whose slot is gone",
    series: { ...ONE_PRIMARY, 'pg_topology_backup_slot{slot="barman"}': always(1) },
    firing: ["BackupServerAway"],
  },
  {
    title: "a backup server that receives from the primary, and of which a standby has a slot too",
    series: {
      ...ONE_PRIMARY,
      'pg_topology_slot_active{node="node-1",slot="barman"}': always(1),
      'pg_topology_slot_active{node="node-2",slot="barman"}': always(0),
      'pg_topology_backup_slot{slot="barman"}': always(1),
    },
    firing: [],
  },
  {
    title: "a disk of the backup server that is nearly full",
    series: { ...ONE_PRIMARY, ...backupDisk(always(50_000)) },
    firing: ["BackupDiskFills"],
  },
  {
    title: "a disk of the backup server that will be full",
    series: { ...ONE_PRIMARY, ...backupDisk("900000-1000x120") },
    firing: ["BackupDiskFills"],
  },
  {
    title: "backups and drills as they should be",
    series: {
      ...ONE_PRIMARY,
      ...backup({ end_seconds: 0, maximum_age_seconds: 86_400 }),
      pg_topology_drill_failed: always(0),
      ...backupDisk(always(500_000)),
    },
    firing: [],
  },
  {
    title: "a newest backup that is too old",
    series: { ...ONE_PRIMARY, ...backup({ end_seconds: 0, maximum_age_seconds: 60 }) },
    firing: ["BackupTooOld"],
  },
  {
    title: "a backup that could not be restored",
    series: { ...ONE_PRIMARY, 'pg_topology_drill_failed{job="backup",node="barman"}': always(1) },
    firing: ["DrillFailed"],
  },
  {
    title: "an exporter that is gone",
    series: { ...ONE_PRIMARY, 'up{job="postgres",node="node-2"}': always(0) },
    firing: ["NotWatched"],
  },
];
