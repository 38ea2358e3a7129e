import { writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { keepTerminal } from "./browser.ts";
import { PROJECT_DIRECTORY } from "./project.ts";
import { keepsRecordings } from "./terminal.ts";
import type { Recording } from "./terminal.ts";

interface Step {
  readonly recording: Recording;
  /** Name of its picture. */
  readonly picture: string | undefined;
}

const GUIDE = "docs/guide.md";
const HEAD = `# A walk through the guide

How long each command of the [guide](guide.md) took when a test ran it last, on ${cpus().length} cores. The tools were there
already: where they have to be got, the first \`npm start\` takes longer.`;

/** The commands of a document, one after the other. */
export class Walk {
  readonly #document: string;
  readonly #steps: Step[] = [];

  constructor(document: string) {
    this.#document = document;
  }

  add(recording: Recording, picture: string | undefined): void {
    this.#steps.push({ recording, picture });
  }

  /** Where that is asked for: the pictures that the document shows, and of the guide the times. */
  async keep(): Promise<void> {
    if (!keepsRecordings) return;
    for (const { recording, picture } of this.#steps) {
      if (picture !== undefined) await keepTerminal(recording, picture);
    }
    if (this.#document === GUIDE) await writeFile(join(PROJECT_DIRECTORY, "docs", "walk.md"), this.#times());
  }

  #times(): string {
    const rows = this.#steps.map(({ recording: { command, seconds } }) => {
      return `| \`${command.replaceAll("|", "\\|")}\` | ${seconds.toFixed(1)} |`;
    });
    const total = this.#steps.reduce((sum, { recording }) => sum + recording.seconds, 0);
    const table = ["| command | seconds |", "| --- | --- |", ...rows, `| all | ${total.toFixed(1)} |`];
    return `${HEAD}\n\n${table.join("\n")}\n`;
  }
}
