import { createInterface } from "node:readline/promises";
import type { WhenStandbyMissing } from "../operations/degrade.ts";
import { requireEngine } from "../operations/engine.ts";
import { OperationError } from "../operations/errors.ts";
import { covers, guaranteeUntilNow } from "../operations/failover.ts";
import { failoverQuestion } from "../operations/failover-question.ts";
import type { FailoverQuestion } from "../operations/failover-question.ts";
import type { LostBytes } from "../operations/role-environment.ts";
import { roleState } from "../operations/role-state.ts";
import { runCommand } from "./command.ts";
import { DEFAULT_STACK, PROJECT_DIRECTORY } from "./project.ts";
import { isUpdated, stackConfig, startOnTerminal } from "./stack-file.ts";

const ACKNOWLEDGED_KEY = "acknowledge.failover";
const LOST_BYTES_KEY = `${ACKNOWLEDGED_KEY}.lostBytes`;

await runCommand({
  usage: `usage: npm run failover -- --to NODE [--stack NAME] [--yes [--lost-bytes N|unknown]]
Makes another node of a stack (default: ${DEFAULT_STACK}) its primary, when the one that is does not answer: says what is known,
asks, writes the answer into the stack file, and runs the update. A primary that answers is switched over cleanly.
With --yes nobody is asked; rows that may be lost then have to be accepted by --lost-bytes, in bytes of WAL, or unknown
where nobody can tell, and a node whose host cannot be reached, so that nobody can stop it first, by --unfenced NODE
(several times for several).`,
  options: {
    to: { type: "string" },
    stack: { type: "string", short: "s", default: DEFAULT_STACK },
    yes: { type: "boolean", default: false },
    "lost-bytes": { type: "string" },
    unfenced: { type: "string", multiple: true, default: [] },
  },
  failureExitCode: 1,
  run: async ({ to, stack, yes, "lost-bytes": accepted, unfenced }) => {
    if (to === undefined) throw new OperationError("Name the node: npm run failover -- --to node-2");
    const [{ environment, guarantee }, whenStandbyMissing] = await Promise.all([
      roleState({ projectDirectory: PROJECT_DIRECTORY, stack }),
      whenStandbyMissingOf(stack),
    ]);
    if (environment.placed === undefined) await requireEngine();
    const question = await failoverQuestion(environment, guaranteeUntilNow(guarantee, whenStandbyMissing), to);
    console.log(question.facts.join("\n"));
    if (yes) requireAccepted(question, bytesOf(accepted), unfenced);
    else await ask(question, to);
    return failOver(stack, to, question);
  },
});

function bytesOf(text: string | undefined): LostBytes | null {
  if (text === undefined) return null;
  if (text === "unknown") return text;
  if (/^\d+$/.test(text)) return Number(text);
  throw new OperationError(`expected --lost-bytes to be a number of bytes, or unknown, but got "${text}".`);
}

function requireAccepted(question: FailoverQuestion, accepted: LostBytes | null, unfenced: readonly string[]): void {
  const { lostBytes } = question;
  const isLossAccepted = lostBytes === null || (accepted !== null && covers(accepted, lostBytes));
  if (isLossAccepted && question.unfenced.every((name) => unfenced.includes(name))) return;
  throw new OperationError(
    `Rows may be lost, and --yes alone does not accept that: add ${acceptance(question)}. Nothing was changed.`,
  );
}

function acceptance({ lostBytes, unfenced }: FailoverQuestion): string {
  const loss = lostBytes === null ? [] : [`--lost-bytes ${lostBytes}`];
  return [...loss, ...unfenced.map((name) => `--unfenced ${name}`)].join(" ");
}

async function ask(question: FailoverQuestion, to: string): Promise<void> {
  const { lostBytes } = question;
  if (!process.stdin.isTTY) {
    const accept = `--yes ${acceptance(question)}`.trim();
    throw new OperationError(`There is no terminal to ask on: add ${accept}. Nothing was changed.`);
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const loss = lostBytes === null ? "" : ", and what it did not get is given up";
  const answer = await terminal.question(`${to} becomes the primary${loss}. Type ${to} to go on: `);
  terminal.close();
  if (answer.trim() !== to) throw new OperationError("Nothing was changed.");
}

/** The stack file says what was decided before anything is done: an interrupted run is finished by the next update. */
async function failOver(stack: string, to: string, { lostBytes, unfenced }: FailoverQuestion): Promise<number> {
  const isAcknowledged = lostBytes !== null || unfenced.length > 0;
  await config(stack, "set", "primary", to);
  if (isAcknowledged) await config(stack, "set", "--path", LOST_BYTES_KEY, String(lostBytes ?? 0));
  for (const [index, name] of unfenced.entries()) {
    await config(stack, "set", "--path", `${ACKNOWLEDGED_KEY}.unfenced[${index}]`, name);
  }
  const exitCode = await startOnTerminal(stack);
  // What nobody could stop is left as it is until its host is back, and has to be said until then.
  const spent = unfenced.length === 0 ? ACKNOWLEDGED_KEY : LOST_BYTES_KEY;
  if (isUpdated(exitCode) && isAcknowledged) await config(stack, "rm", "--path", spent);
  if (!isUpdated(exitCode))
    console.error(`The stack file says primary: ${to}. The next update goes on from what is there.`);
  return exitCode;
}

async function config(stack: string, ...args: string[]): Promise<void> {
  const { exitCode, stderr } = await stackConfig(stack, ...args);
  if (exitCode !== 0) throw new OperationError(`the stack file could not be changed: ${stderr.trim()}`);
}

/** As the stack file says it now, which is what the update is going to go by. */
async function whenStandbyMissingOf(stack: string): Promise<WhenStandbyMissing> {
  const { stdout } = await stackConfig(stack, "get", "--path", "replication.synchronous.whenStandbyMissing");
  return stdout === "degrade" ? "degrade" : "wait";
}
