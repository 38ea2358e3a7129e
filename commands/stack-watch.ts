import { readFile } from "node:fs/promises";
import { z } from "zod";
import { NO_HISTORY, lastLookAt, withStatus, withoutStatus } from "../dashboard/history.ts";
import { pageView } from "../dashboard/view.ts";
import type { PendingChange } from "../dashboard/view.ts";
import type { PageView } from "../dashboard/page-view.ts";
import { OperationError, messageOf } from "../operations/errors.ts";
import { IMPACT_LEVELS } from "../operations/impact.ts";
import { projectName } from "../operations/pulumi-state.ts";
import { PROJECT_DIRECTORY } from "./project.ts";
import { statusInTime } from "./stack-status.ts";

/** Looks at one stack again and again, and remembers what it saw. */
export class StackWatch {
  readonly #project: string;
  readonly #stack: string;
  readonly #impact: PendingChange | null;
  #history = NO_HISTORY;
  #failure: string | null = null;

  private constructor(project: string, stack: string, impact: PendingChange | null) {
    this.#project = project;
    this.#stack = stack;
    this.#impact = impact;
  }

  /**
   * Has looked once.
   * @param impactFile what `npm run --silent preview -- --json-impact` printed; undefined: no change is pending.
   * @throws OperationError where there is no such stack, or no such file.
   */
  static async begin(stack: string | undefined, impactFile: string | undefined): Promise<StackWatch> {
    const impact = impactFile === undefined ? null : await readImpact(impactFile);
    const status = await statusInTime(stack);
    const watch = new StackWatch(await projectName(PROJECT_DIRECTORY), status.stack, impact);
    watch.#history = withStatus(NO_HISTORY, status);
    return watch;
  }

  get stack(): string {
    return this.#stack;
  }

  /** What cannot be seen for the moment is part of what is shown. */
  async look(): Promise<void> {
    try {
      this.#history = withStatus(this.#history, await statusInTime(this.#stack));
      this.#failure = null;
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      this.#history = withoutStatus(this.#history, new Date());
      this.#failure = error.message;
    }
  }

  view(): PageView {
    const [project, stack, history] = [this.#project, this.#stack, this.#history];
    const at = lastLookAt(history);
    return pageView({ project, stack, at, history, failure: this.#failure, impact: this.#impact });
  }
}

const impactReport = z.object({
  impact: z.enum(IMPACT_LEVELS),
  findings: z.array(z.object({ level: z.enum(IMPACT_LEVELS), message: z.string() })),
});

async function readImpact(file: string): Promise<PendingChange> {
  try {
    return impactReport.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
    throw new OperationError(
      `${file} is not what npm run --silent preview -- --json-impact prints: ${why}. Write it anew: npm run --silent preview -- --json-impact >${file}`,
    );
  }
}
