import serialize from "@xterm/addon-serialize";
import headless from "@xterm/headless";
import type { Clone } from "./clone.ts";

/** As many as the table of a status takes. */
const COLUMNS = 150;
const ROWS = 40;

/** Whether what the tests show is to become what the documents show. */
export const keepsRecordings = process.env["KEEP_RECORDINGS"] !== undefined;

/** A command as it ran on a terminal. */
export interface Recording {
  readonly command: string;
  readonly exitCode: number;
  readonly seconds: number;
  /** All that it wrote, with what moves the cursor and sets colours. */
  readonly written: string;
}

/** Pulumi asks a terminal for its background, and where the cursor is, and waits five seconds for one that says nothing. */
const QUESTION = "\u001b[6n";
const ANSWER = "\u001b]11;rgb:0000/0000/0000\u001b\\\u001b[1;1R";

/** Runs a command of a shell in a clone, on a terminal of its own. */
export async function record(clone: Clone, command: string): Promise<Recording> {
  const startedAt = performance.now();
  const environment = {
    ON_TERMINAL: `stty columns ${COLUMNS} rows ${ROWS}; ${command}`,
    TERM: "xterm-256color",
    // What somebody has set for npm is not part of the picture.
    npm_config_userconfig: "/dev/null",
  };
  const running = clone.start('script --quiet --return --command "$ON_TERMINAL" /dev/null', environment, "pipe");
  running.all.on("data", (written: Buffer) => {
    if (written.includes(QUESTION)) running.stdin?.write(ANSWER);
  });
  const { exitCode = -1, all } = await running;
  return { command, exitCode, seconds: (performance.now() - startedAt) / 1000, written: all };
}

/** What stands on the terminal at the end, as a page. */
export async function pageOf({ command, written }: Recording): Promise<string> {
  const terminal = new headless.Terminal({ cols: COLUMNS, rows: ROWS, scrollback: 500, allowProposedApi: true });
  const serializer = new serialize.SerializeAddon();
  terminal.loadAddon(serializer);
  await new Promise<void>((resolve) => terminal.write(`$ ${command}\r\n${written}`, resolve));
  const { baseY, cursorY } = terminal.buffer.active;
  const range = { startLine: 0, endLine: baseY + cursorY, startCol: 0 };
  const style =
    "<style>body { margin: 0; width: max-content } pre { display: inline-block; margin: 0; padding: 8px; background: #000 }</style>";
  return `${style}${serializer.serializeAsHTML({ includeGlobalBackground: true, range })}`;
}
