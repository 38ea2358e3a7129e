import { parseArgs } from "node:util";
import type { ParseArgsOptionsConfig } from "node:util";
import { OperationError, messageOf } from "../operations/errors.ts";

/** As sysexits.h has it: the command line is wrong. */
const USAGE_EXIT_CODE = 64;

export interface Command<O extends ParseArgsOptionsConfig> {
  readonly usage: string;
  readonly options: O;
  /** Whether it takes words besides options. */
  readonly allowPositionals?: boolean;
  /** Whether all of its arguments are given to `run` as words: it passes them on to another program. */
  readonly passesOn?: boolean;
  /** What it returns is the exit code of the process. */
  readonly run: (values: OptionValues<O>, positionals: readonly string[]) => Promise<number>;
  /** The exit code of a failure that a user can act on, shown without a stack trace. */
  readonly failureExitCode: number;
}

type OptionValues<O extends ParseArgsOptionsConfig> = ReturnType<typeof parseArgs<{ options: O }>>["values"];

/** Runs a command to the end of the process, whatever connections are still open. */
export async function runCommand<const O extends ParseArgsOptionsConfig>(command: Command<O>): Promise<never> {
  const { values, positionals } = parsed(command);
  try {
    process.exit(await command.run(values, positionals));
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    console.error(error.message);
    process.exit(command.failureExitCode);
  }
}

function parsed<O extends ParseArgsOptionsConfig>({ usage, options, ...command }: Command<O>) {
  const { allowPositionals = false, passesOn = false } = command;
  const args = process.argv.slice(2);
  try {
    const { values, positionals } = parseArgs<{ args: string[]; options: O; allowPositionals: boolean }>({
      args: passesOn ? ["--", ...args] : args,
      options,
      allowPositionals: allowPositionals || passesOn,
    });
    return { values, positionals };
  } catch (error) {
    console.error(`${messageOf(error)}\n\n${usage}`);
    process.exit(USAGE_EXIT_CODE);
  }
}
