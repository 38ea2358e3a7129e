import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";

/** What a client that writes all the time has seen. */
export interface LedgerResult {
  /** Ids whose commit the server has confirmed: none of them may ever be missing. */
  readonly acknowledged: readonly number[];
  /** The longest time between two confirmed writes, the usual pause between them included. */
  readonly longestGapMilliseconds: number;
  /** The row that ended it, and when (performance.now()). */
  readonly afterLongestGap: { readonly id: number; readonly at: number };
  /** How often a connection that had worked broke. */
  readonly brokenConnections: number;
}

interface Host {
  readonly host: string;
  readonly port: number;
}

interface Target {
  readonly hosts: readonly Host[];
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Path of the certificate of the authority; read for every connection, as libpq does. */
  readonly rootCertificate: string;
}

/** Often enough to see a gap; a client that never rests would take a good part of the machine from the servers. */
const PAUSE_MILLISECONDS = 20;
const RETRY_MILLISECONDS = 10;
/** A gap is measured to a tenth: more often asked, servers and updates would have to share the machine with the asking. */
const RETRY_SHARE = 0.1;
const LONGEST_RETRY_MILLISECONDS = 250;
const CONNECT_TIMEOUT_MILLISECONDS = 1000;
/** A server that went away without a word ends a write only by this. */
const QUERY_TIMEOUT_MILLISECONDS = 5000;

/**
 * A client that appends numbered rows one after the other, connects again at once whenever its connection breaks, and
 * writes down which rows were acknowledged. A row whose confirmation got lost is not written again under its number:
 * it may be there or not.
 */
export class Ledger {
  readonly #target: Target;
  readonly #pauseMilliseconds: number;
  readonly #acknowledged: number[] = [];
  #nextId: number;
  #lastAcknowledgedAt = performance.now();
  #longestGapMilliseconds = 0;
  #afterLongestGap = { id: 0, at: 0 };
  #brokenConnections = 0;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  private constructor(target: Target, nextId: number, pauseMilliseconds: number) {
    this.#target = target;
    this.#pauseMilliseconds = pauseMilliseconds;
    this.#nextId = nextId;
  }

  /**
   * @param uri readWriteUri of the stack's outputs. Writing has begun when this returns.
   * @param pauseMilliseconds between two rows: gaps are measured no finer than that.
   */
  static async start(uri: string, pauseMilliseconds: number = PAUSE_MILLISECONDS): Promise<Ledger> {
    const target = parseUri(uri);
    const client = await connectWritable(target);
    await client.query(
      "CREATE TABLE IF NOT EXISTS ledger (id bigint PRIMARY KEY, written_at timestamptz DEFAULT now())",
    );
    const { rows } = await client.query<{ next: string }>("SELECT coalesce(max(id), 0) + 1 AS next FROM ledger");
    const ledger = new Ledger(target, Number(rows[0]?.next), pauseMilliseconds);
    ledger.#running = ledger.#write(client);
    await ledger.untilWritten();
    return ledger;
  }

  /** Ids that were acknowledged up to now. */
  get acknowledged(): readonly number[] {
    return this.#acknowledged;
  }

  /** Waits until one more row is acknowledged. */
  async untilWritten(timeoutMilliseconds: number = 30_000): Promise<void> {
    const before = this.#acknowledged.length;
    const deadline = performance.now() + timeoutMilliseconds;
    while (this.#acknowledged.length === before) {
      if (performance.now() > deadline) throw new Error(`no row was acknowledged for ${timeoutMilliseconds} ms`);
      await sleep(RETRY_MILLISECONDS);
    }
  }

  /** What was seen since the last call, or since the start: writing goes on. */
  lap(): LedgerResult {
    const result = this.#result();
    this.#longestGapMilliseconds = 0;
    this.#brokenConnections = 0;
    return result;
  }

  /** A writer that cannot write when it is stopped counts the time since its last row as a gap. */
  async stop(): Promise<LedgerResult> {
    this.#stopped = true;
    await this.#running;
    this.#noteGap();
    return this.#result();
  }

  /** Of the ids that were acknowledged, those that the server which is writable now does not have. */
  async lost(): Promise<number[]> {
    const ids = [...this.#acknowledged];
    const client = await connectWritable(this.#target);
    try {
      const { rows } = await client.query<{ id: string }>(
        "SELECT acknowledged.id FROM unnest($1::bigint[]) AS acknowledged (id) LEFT JOIN ledger USING (id) WHERE ledger.id IS NULL",
        [ids],
      );
      return rows.map(({ id }) => Number(id));
    } finally {
      await client.end();
    }
  }

  #result(): LedgerResult {
    return {
      acknowledged: [...this.#acknowledged],
      longestGapMilliseconds: Math.round(this.#longestGapMilliseconds),
      afterLongestGap: this.#afterLongestGap,
      brokenConnections: this.#brokenConnections,
    };
  }

  async #write(first: pg.Client): Promise<void> {
    let client: pg.Client | undefined = first;
    while (!this.#stopped) {
      client ??= await connectWritable(this.#target, () => this.#stopped).catch(() => undefined);
      if (client === undefined) continue;
      client = await this.#append(client);
      await sleep(this.#pauseMilliseconds);
    }
    await client?.end().catch(() => undefined);
  }

  /** @returns undefined when the connection is of no use any more. */
  async #append(client: pg.Client): Promise<pg.Client | undefined> {
    const id = this.#nextId++;
    try {
      await client.query("INSERT INTO ledger (id) VALUES ($1)", [id]);
    } catch {
      this.#brokenConnections += 1;
      void client.end().catch(() => undefined);
      return undefined;
    }
    this.#acknowledged.push(id);
    this.#noteGap();
    this.#lastAcknowledgedAt = performance.now();
    return client;
  }

  #noteGap(): void {
    const at = performance.now();
    const gap = at - this.#lastAcknowledgedAt;
    if (gap <= this.#longestGapMilliseconds) return;
    this.#longestGapMilliseconds = gap;
    this.#afterLongestGap = { id: this.#acknowledged.at(-1) ?? 0, at };
  }
}

/** URL knows one host only; libpq takes several. */
function parseUri(uri: string): Target {
  const [, hosts] = /@([^/]+)\//.exec(uri) ?? [];
  if (hosts === undefined) throw new Error("this is no connection URI with hosts");
  const url = new URL(uri.replace(`@${hosts}/`, "@host/"));
  return {
    hosts: hosts.split(",").map((host) => ({ host: host.replace(/:\d+$/, ""), port: Number(/\d+$/.exec(host)?.[0]) })),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
    rootCertificate: url.searchParams.get("sslrootcert") ?? "",
  };
}

/** The hosts in turn, as libpq does with target_session_attrs=read-write, until one takes writes. */
async function connectWritable(target: Target, givenUp: () => boolean = () => false): Promise<pg.Client> {
  const startedAt = performance.now();
  for (;;) {
    for (const host of target.hosts) {
      const client = await connectIfWritable(target, host);
      if (client !== undefined) return client;
    }
    const elapsed = performance.now() - startedAt;
    if (givenUp() || elapsed > 60_000) throw new Error("no host takes writes");
    await sleep(Math.min(LONGEST_RETRY_MILLISECONDS, Math.max(RETRY_MILLISECONDS, elapsed * RETRY_SHARE)));
  }
}

async function connectIfWritable(target: Target, host: Host): Promise<pg.Client | undefined> {
  const client = new pg.Client({
    ...host,
    user: target.user,
    password: target.password,
    database: target.database,
    ssl: { ca: await readFile(target.rootCertificate, "utf8") },
    connectionTimeoutMillis: CONNECT_TIMEOUT_MILLISECONDS,
    query_timeout: QUERY_TIMEOUT_MILLISECONDS,
    keepAlive: true,
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ transaction_read_only: string }>("SHOW transaction_read_only");
    if (rows[0]?.transaction_read_only === "off") return client;
  } catch {
    // It is down, starting or stopping: the next one may be up.
  }
  void client.end().catch(() => undefined);
  return undefined;
}
