import { execa } from "execa";
import { PROJECT_DIRECTORY } from "./project.ts";
import type { TestStack } from "./stack.ts";

/** `npm run dashboard` for a stack, at a free port. */
export class Dashboard {
  readonly url: string;
  readonly #stop: () => Promise<number | undefined>;

  private constructor(url: string, stop: () => Promise<number | undefined>) {
    this.url = url;
    this.#stop = stop;
  }

  static async start(stack: TestStack, ...args: string[]): Promise<Dashboard> {
    const command = ["commands/dashboard.ts", "--stack", stack.name, "--port", "0", ...args];
    const running = execa("node", command, { cwd: PROJECT_DIRECTORY, reject: false, all: true });
    const stop = async (): Promise<number | undefined> => {
      running.kill("SIGINT");
      return (await running).exitCode;
    };
    const url = await new Promise<string>((resolve, reject) => {
      let shown = "";
      running.all.on("data", (chunk: Buffer) => {
        shown += chunk.toString();
        const [found] = /http:\S+/.exec(shown) ?? [];
        if (found !== undefined) resolve(found);
      });
      running.all.on("end", () => reject(new Error(`the dashboard ended: ${shown}`)));
    });
    return new Dashboard(url, stop);
  }

  /** Its exit code after Ctrl-C. */
  stop(): Promise<number | undefined> {
    return this.#stop();
  }
}
