import { FINDING_KINDS } from "./findings.ts";

/** Everything that a status can say is wrong. Each has a section in docs/runbook.md. */
export const PROBLEM_KINDS = [
  "no-primary",
  "two-primaries",
  "diverged",
  ...FINDING_KINDS,
  "slot-of-nobody",
  "certificate-ending",
  "backup-volume-full",
  "backup-server-stopped",
  "backup-no-answer",
  "backup-missing",
  "backup-check-failed",
  "drill-failed",
  "drill-too-old",
] as const;

export type ProblemKind = (typeof PROBLEM_KINDS)[number];

/** Whom a problem concerns, as commands name them. */
export interface Subject {
  readonly stack: string;
  /** The container of the node, or of the backup server. */
  readonly container: string;
}

export interface Advice {
  /** As it follows "what is the case; ". */
  readonly why: string;
  /** As it ends a sentence. */
  readonly run: (subject: Subject) => string;
}

const start = ({ stack }: Subject): string => `\`npm start -- --stack ${stack}\``;
const preview = ({ stack }: Subject): string => `\`npm run preview -- --stack ${stack}\``;
const checkBackups = ({ stack }: Subject): string => `\`npm run backup -- check --stack ${stack}\``;
const log = ({ container }: Subject): string => `\`docker logs --tail 50 ${container}\``;

const bringsBack = (subject: Subject): string => `${start(subject)} brings it back`;

/** Why it matters, and what to run. */
export const ADVICE: Readonly<Record<ProblemKind, Advice>> = {
  "no-primary": {
    why: "nobody can write",
    run: (subject) =>
      `${start(subject)} starts what is stopped; if that is not enough, \`npm run failover -- --to NODE --stack ${subject.stack}\` says what another node would cost`,
  },
  "two-primaries": {
    why: "what is written to both can never be joined again",
    run: (subject) =>
      `compare their rows, \`docker stop\` the node whose rows are not wanted, name the other as \`primary\`, then ${preview(subject)}`,
  },
  diverged: {
    why: "it can follow again only without the rows that it alone has",
    run: (subject) => `${preview(subject)} says how it rejoins, and what that discards`,
  },
  "container-gone": {
    why: "it serves nobody, and its data is only where its volume is left",
    run: ({ stack }) => `\`toolchain/run pulumi up --refresh --stack ${stack}\` makes a new one around the same data`,
  },
  "container-stopped": { why: "it serves nobody, and cannot take over", run: bringsBack },
  "container-paused": { why: "it serves nobody, and cannot take over", run: bringsBack },
  "held-by-guard": {
    why: "it would be a second primary",
    run: (subject) => `${preview(subject)} says how it rejoins, and ${start(subject)} does it`,
  },
  "no-answer": {
    why: "what it has, and whether it could take over, cannot be told",
    run: (subject) => `${log(subject)} says what it does, and ${bringsBack(subject)}`,
  },
  "engine-unreachable": {
    why: "whether its server runs, and whether clients there go on writing, is not known from here",
    run: () => "mend the way to the host; what does not need it goes on without",
  },
  "unexpected-role": {
    why: "the stack file and the servers name different primaries",
    run: (subject) => `${preview(subject)} shows both ways out`,
  },
  "held-as-standby": {
    why: "its next restart ends the writes",
    run: (subject) => `${start(subject)} lets it stay the primary`,
  },
  "not-streaming": {
    why: "it does not have the newest rows, and the primary keeps WAL for it",
    run: (subject) => `${log(subject)} says why, and ${start(subject)} mends what can be mended`,
  },
  "slot-missing": {
    why: "WAL that a standby needs may be gone when it comes back",
    run: (subject) => `${start(subject)} makes it`,
  },
  "slot-of-nobody": {
    why: "a standby or the backup server is wanting with all that it had, and the disk fills up",
    run: ({ stack }) =>
      `\`toolchain/run pulumi up --refresh --stack ${stack}\` makes anew what the stack file has; a slot that is not the stack's, pg_drop_replication_slot drops`,
  },
  "slot-unused": { why: "the disk fills up with it", run: (subject) => `${start(subject)} makes it anew` },
  "wal-gone": {
    why: "it cannot catch up by itself",
    run: (subject) => `${preview(subject)} says how it comes back, and ${start(subject)} does it`,
  },
  "wal-kept": { why: "after that it has to be copied anew", run: bringsBack },
  "backup-wal-gone": {
    why: "no restore gets past what is missing, until there is another base backup",
    run: (subject) => `${start(subject)} takes one`,
  },
  "backup-wal-kept": {
    why: "no restore gets past what is missing then",
    run: (subject) => `${checkBackups(subject)} says why it does not, and ${start(subject)} mends what can be mended`,
  },
  "commits-waiting": {
    why: "clients hang in COMMIT until a standby confirms",
    run: (subject) => `${start(subject)} brings the standbys back`,
  },
  "synchronous-degraded": {
    why: "what is written now is on fewer nodes than the stack file says",
    run: (subject) => `${start(subject)} brings the standbys back, and lets commits wait for all of them again`,
  },
  "file-refused": {
    why: "the server goes on with what it had before, and may not start with that line",
    run: (subject) => `${preview(subject)} says whose change it was`,
  },
  "restart-pending": {
    why: "until then the old value counts",
    run: (subject) => `${start(subject)} restarts what has to be, in the right order`,
  },
  "altered-system": { why: "that wins over the stack file", run: (subject) => `${start(subject)} resets it` },
  "replay-paused": {
    why: "queries on it see old rows, and it keeps growing behind",
    run: (subject) => `${start(subject)} resumes it`,
  },
  "certificate-ending": {
    why: "clients and standbys refuse the server from then on",
    run: (subject) => `${start(subject)} renews it without a restart`,
  },
  "backup-volume-full": {
    why: "where it is full no WAL is received and no backup taken; the primary goes on, and keeps the WAL up to max_slot_wal_keep_size",
    run: ({ stack }) =>
      `make room where the engine keeps its volumes, or remove backups that are not needed: \`npm run backup -- list --stack ${stack}\``,
  },
  "backup-server-stopped": { why: "nothing receives the WAL, and no backup is taken", run: bringsBack },
  "backup-no-answer": {
    why: "whether there is a backup to go back to cannot be told",
    run: (subject) => `${log(subject)} says what it does`,
  },
  "backup-missing": {
    why: "there is nothing to go back to",
    run: ({ stack }) => `\`npm run backup -- now --stack ${stack}\` takes one`,
  },
  "backup-check-failed": {
    why: "backups may be wanting when they are needed",
    run: (subject) => `${checkBackups(subject)} lists everything, and ${start(subject)} mends what can be mended`,
  },
  "drill-failed": {
    why: "the newest backup may be good for nothing",
    run: ({ stack }) =>
      `\`npm run backup -- now --stack ${stack}\` takes another one, and \`npm start -- --stack ${stack}\` drills that`,
  },
  "drill-too-old": {
    why: "that it can be restored is only believed",
    run: (subject) => `${start(subject)} restores and checks it`,
  },
};
