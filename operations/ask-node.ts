import { endOfCertificate } from "./certificate-expiry.ts";
import { engineOf, lastLogLines } from "./engine.ts";
import { OperationError, messageOf } from "./errors.ts";
import type { Node } from "./node.ts";
import { containerState, serverObservation, serverQuestions } from "./observe.ts";
import type { NodeObservation, ServerAnswers } from "./observe.ts";
import { runAsSuperuser } from "./superuser.ts";
import type { HistoryFile } from "./timelines.ts";
import { withDeadline } from "./with-deadline.ts";

/** What one node says of itself to somebody who has no password: it is asked over its container's own socket. */
export interface NodeAnswer {
  readonly observation: NodeObservation;
  /** null: it does not answer. */
  readonly details: NodeDetails | null;
}

export interface NodeDetails {
  /** Of PostgreSQL, for example "17.6". */
  readonly version: string;
  readonly startedAt: Date;
  /** Of its TLS certificate; null: it has none. */
  readonly certificateEndsAt: Date | null;
  /** "": none. */
  readonly restoreCommand: string;
  readonly histories: readonly HistoryFile[];
  /** With it a server starts as a standby, whatever it is now. */
  readonly hasStandbySignal: boolean;
}

const ANSWER_TIMEOUT_SECONDS = 2;

const DETAILS = `
SELECT split_part(current_setting('server_version'), ' ', 1) AS version, pg_postmaster_start_time() AS started_at,
       current_setting('restore_command') AS restore_command,
       (pg_stat_file('standby.signal', true)).size IS NOT NULL AS standby_signal,
       (pg_control_recovery()).min_recovery_end_timeline AS recovery_timeline,
       pg_read_file(current_setting('ssl_cert_file'), 0, 1000000, true) AS certificate`;

const HISTORIES = `
SELECT name, pg_read_file('pg_wal/' || name) AS text, (pg_stat_file('pg_wal/' || name)).modification AS written_at
FROM pg_ls_dir('pg_wal') AS name WHERE name ~ '^[0-9A-F]{8}\\.history$'`;

interface Answers extends ServerAnswers {
  readonly details: readonly {
    readonly version: string;
    readonly started_at: string;
    readonly restore_command: string;
    readonly standby_signal: boolean;
    readonly recovery_timeline: number;
    readonly certificate: string | null;
  }[];
  readonly histories: readonly { readonly name: string; readonly text: string; readonly written_at: string }[];
}

/** It never throws for what a node is like, and never waits for longer than two seconds for its server. */
export async function askNode(node: Node): Promise<NodeAnswer> {
  try {
    const asked = runAsSuperuser(node, serverQuestions({ details: DETAILS, histories: HISTORIES }));
    const answers = JSON.parse(await withDeadline(asked, ANSWER_TIMEOUT_SECONDS, "no answer")) as Answers;
    const server = serverObservation(answers);
    // A standby that receives nothing names the timeline of its last restartpoint: it may have replayed into another.
    const timeline = Math.max(server.timeline, answers.details[0]?.recovery_timeline ?? 0);
    const observation = { name: node.name, answers: true, server: { ...server, timeline } } as const;
    return { observation, details: detailsOf(answers) };
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    const [container, why] = await Promise.all([containerState(node), whySilent(node, error)]);
    return { observation: { name: node.name, answers: false, container, why }, details: null };
  }
}

function detailsOf({ details, histories }: Answers): NodeDetails | null {
  const [row] = details;
  if (row === undefined) return null;
  return {
    version: row.version,
    startedAt: new Date(row.started_at),
    certificateEndsAt: row.certificate === null ? null : endOfCertificate(row.certificate),
    restoreCommand: row.restore_command,
    hasStandbySignal: row.standby_signal,
    histories: histories.map(({ name, text, written_at }) => ({
      timeline: Number.parseInt(name, 16),
      text,
      writtenAt: new Date(written_at),
    })),
  };
}

/** The guard says why it keeps a server from starting, which tells more than psql's "no such socket". */
async function whySilent(node: Node, error: OperationError): Promise<string> {
  const lastLine = await lastLogLines(engineOf(node), node.container, 1).catch(() => "");
  const said = lastLine.startsWith("guard: ") ? lastLine.slice("guard: ".length) : messageOf(error);
  return said.replace(/\.$/, "");
}
