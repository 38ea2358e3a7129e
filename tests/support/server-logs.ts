import { execa } from "execa";

type Following = ReturnType<typeof follow>;

const follow = (container: string) =>
  execa("docker", ["logs", "--follow", "--tail", "0", container], { all: true, reject: false });

/** What containers write from now on until they are gone: a removed container takes its log with it. */
export class ServerLogs {
  readonly #following: ReadonlyMap<string, Following>;

  private constructor(following: ReadonlyMap<string, Following>) {
    this.#following = following;
  }

  static follow(containers: readonly string[]): ServerLogs {
    return new ServerLogs(new Map(containers.map((container) => [container, follow(container)])));
  }

  /** All of it, once the containers have ended. */
  async untilEnd(): Promise<Map<string, string>> {
    const logs = [...this.#following].map(async ([container, log]) => [container, (await log).all] as const);
    return new Map(await Promise.all(logs));
  }
}
