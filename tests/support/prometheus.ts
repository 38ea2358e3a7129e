interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

/** Asks a Prometheus that is published on the loopback address. */
export class Prometheus {
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /** What an expression gives now. */
  async ask(expression: string): Promise<readonly Sample[]> {
    const url = `http://127.0.0.1:${this.#port}/api/v1/query?${new URLSearchParams({ query: expression }).toString()}`;
    const answer = (await (await fetch(url)).json()) as {
      status: string;
      error?: string;
      data: { result: readonly Sample[] };
    };
    if (answer.status !== "success") throw new Error(`${expression}: ${answer.error}`);
    return answer.data.result;
  }

  /** By the label of that name; "" where nobody answers yet. */
  async values(expression: string, label: string): Promise<Record<string, string>> {
    const samples = await this.ask(expression).catch(() => []);
    return Object.fromEntries(samples.map(({ metric, value }) => [metric[label] ?? "", value[1]]));
  }

  /** Names of the alerts that fire, each once. */
  async firing(): Promise<string[]> {
    return Object.keys(await this.values('ALERTS{alertstate="firing"}', "alertname")).toSorted();
  }
}
