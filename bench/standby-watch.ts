import { setTimeout as sleep } from "node:timers/promises";
import { rowsOf } from "../tests/support/servers.ts";
import type { Login } from "../tests/support/servers.ts";

const PAUSE_MILLISECONDS = 50;

/** What a node showed as a standby, and when. */
interface Sighting {
  readonly newestRow: number;
  /** Of performance.now(), milliseconds. */
  readonly at: number;
}

/** Asks one node all the time which row of the ledger it shows as a standby: a primary, or one that is down, shows none. */
export class StandbyWatch {
  readonly #login: Login;
  readonly #sightings: Sighting[] = [];
  readonly #running: Promise<void>;
  #stopped = false;

  private constructor(login: Login) {
    this.#login = login;
    this.#running = this.#watch();
  }

  static start(login: Login): StandbyWatch {
    return new StandbyWatch(login);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** When it first showed this row, or a later one. */
  shownAt(row: number): number {
    const found = this.#sightings.find(({ newestRow }) => newestRow >= row);
    if (found === undefined) throw new Error(`${this.#login.host}:${this.#login.port} never showed row ${row}`);
    return found.at;
  }

  async #watch(): Promise<void> {
    while (!this.#stopped) {
      const sighting = await this.#look().catch(() => undefined);
      if (sighting !== undefined) this.#sightings.push(sighting);
      await sleep(PAUSE_MILLISECONDS);
    }
  }

  async #look(): Promise<Sighting | undefined> {
    const [row] = await rowsOf<{ newest: string | null }>(
      this.#login,
      "SELECT max(id) AS newest FROM ledger WHERE pg_is_in_recovery()",
    );
    const newest = row?.newest ?? null;
    return newest === null ? undefined : { newestRow: Number(newest), at: performance.now() };
  }
}
