import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Login } from "./servers.ts";

const PAUSE_MILLISECONDS = 50;

/** Asks every node all the time whether it takes writes, and counts the moments in which more than one said so. */
export class WritableWatch {
  readonly #logins: readonly Login[];
  readonly #clients = new Map<Login, pg.Client>();
  readonly #running: Promise<void>;
  #stopped = false;
  #moments = 0;
  #withTwo = 0;

  private constructor(logins: readonly Login[]) {
    this.#logins = logins;
    this.#running = this.#watch();
  }

  static start(logins: readonly Login[]): WritableWatch {
    return new WritableWatch(logins);
  }

  async stop(): Promise<{ readonly moments: number; readonly withTwoWritableNodes: number }> {
    this.#stopped = true;
    await this.#running;
    await Promise.all([...this.#clients.values()].map((client) => client.end().catch(() => undefined)));
    return { moments: this.#moments, withTwoWritableNodes: this.#withTwo };
  }

  async #watch(): Promise<void> {
    while (!this.#stopped) {
      const answers = await Promise.all(this.#logins.map((login) => this.#isWritable(login)));
      this.#moments += 1;
      if (answers.filter(Boolean).length > 1) this.#withTwo += 1;
      await sleep(PAUSE_MILLISECONDS);
    }
  }

  async #isWritable(login: Login): Promise<boolean> {
    try {
      const client = this.#clients.get(login) ?? (await this.#connect(login));
      const { rows } = await client.query<{ standby: boolean }>("SELECT pg_is_in_recovery() AS standby");
      return rows[0]?.standby === false;
    } catch {
      this.#clients.delete(login);
      return false;
    }
  }

  async #connect(login: Login): Promise<pg.Client> {
    const { host, port, user, password, database, certificateAuthority } = login;
    const client = new pg.Client({
      ...{ host, port, user, password, database },
      ssl: certificateAuthority === null ? false : { ca: certificateAuthority },
      connectionTimeoutMillis: 1000,
      query_timeout: 1000,
    });
    client.on("error", () => this.#clients.delete(login));
    await client.connect();
    this.#clients.set(login, client);
    return client;
  }
}
